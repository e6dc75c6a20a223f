import type { MigrationInterface, QueryRunner } from 'typeorm';

export class CreateUsers1763600000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE "users" (
        "id" integer PRIMARY KEY AUTOINCREMENT,
        "email" text NOT NULL UNIQUE,
        "name" text NOT NULL,
        "passwordHash" text NOT NULL,
        "role" text NOT NULL CHECK ("role" IN ('member', 'admin')),
        "joinedAt" integer NOT NULL
      )
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE "users"');
  }
}
