import type { MigrationInterface, QueryRunner } from 'typeorm';

/** For accounts that log in with a one-time code (TOTP) too. Those that are there go on without. */
export class AddSecondFactor1764300000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE "users" ADD COLUMN "totpSecret" text');
    await runner.query('ALTER TABLE "users" ADD COLUMN "totpUsedStep" integer');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE "users" DROP COLUMN "totpUsedStep"');
    await runner.query('ALTER TABLE "users" DROP COLUMN "totpSecret"');
  }
}
