import { Field, ObjectType } from '@nestjs/graphql';

@ObjectType()
export class Account {
  @Field()
  readonly name!: string;

  @Field(() => [String])
  readonly roles!: readonly string[];
}
