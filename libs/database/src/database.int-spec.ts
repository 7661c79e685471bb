import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { asDomainError } from '#libs/http';
import { defineStateMachine } from '#libs/kernel';
import { createTestDatabase, type TestDatabase } from '#libs/testing';
import { createDataSource } from '#migrations';
import { moveState } from './move-state.js';
import { runMigrations } from './run-migrations.js';
import { readRows, transact } from './unit-of-work.js';

const machine = defineStateMachine<'importing' | 'validating' | 'published'>('image-version', 'importing', {
  importing: ['validating'],
  validating: ['published'],
  published: [],
});

describe('database', () => {
  let database: TestDatabase;

  beforeAll(async () => {
    database = await createTestDatabase();
  });

  afterAll(async () => {
    await database?.destroy();
  });

  async function newRow(): Promise<string> {
    const id = randomUUID();
    await database.dataSource.query(
      `WITH image AS (INSERT INTO golden_images (name, display_name) VALUES ($1, 'x') RETURNING id)
       INSERT INTO image_versions (id, image_id, number, state, digest, location, size_bytes)
       SELECT $2, id, 1, 'importing', 'd', 'l', 1 FROM image`,
      [`image-${id}`, id],
    );
    return id;
  }

  const move = (id: string) =>
    transact(database.dataSource, (unit) =>
      moveState(unit, { machine, table: 'image_versions', id, from: 'importing', to: 'validating', reason: 'test' }),
    );

  it('lets one of twenty racing movers win and writes one event', async () => {
    const id = await newRow();
    const won = await Promise.all(Array.from({ length: 20 }, () => move(id)));
    expect(won.filter(Boolean)).toHaveLength(1);
    const events = await database.dataSource.query(
      'SELECT from_state, to_state, reason FROM state_events WHERE entity_id = $1',
      [id],
    );
    expect(events).toEqual([{ from_state: 'importing', to_state: 'validating', reason: 'test' }]);
  });

  it('refuses a move that the table of transitions does not have', async () => {
    const id = await newRow();
    const wrong = transact(database.dataSource, (unit) =>
      moveState(unit, { machine, table: 'image_versions', id, from: 'importing', to: 'published' }),
    );
    await expect(wrong).rejects.toThrow('image-version: no move importing -> published');
  });

  it('runs hooks after the commit only, and lets one that fails hurt nobody', async () => {
    const seen: string[] = [];
    const failing = transact(database.dataSource, async (unit) => {
      unit.afterCommit(() => void seen.push('never'));
      throw new Error('rolled back');
    });
    await expect(failing).rejects.toThrow('rolled back');
    await transact(database.dataSource, async (unit) => {
      unit.afterCommit(() => Promise.reject(new Error('hook')));
      unit.afterCommit(() => void seen.push('after'));
      seen.push('within');
    });
    expect(seen).toEqual(['within', 'after']);
  });

  it('tries again what PostgreSQL gave up for a deadlock', async () => {
    const [a, b] = [await newRow(), await newRow()];
    let arrived = 0;
    const both = new Promise<void>((resolve) => {
      const poll = setInterval(() => {
        if (arrived < 2) return;
        clearInterval(poll);
        resolve();
      }, 5);
    });
    const crosswise = (first: string, second: string) =>
      transact(database.dataSource, async (unit) => {
        const touch = (id: string) =>
          unit.rows('UPDATE image_versions SET size_bytes = size_bytes + 1 WHERE id = $1', [id]);
        await touch(first);
        arrived += 1;
        await both;
        await touch(second);
      });
    await Promise.all([crosswise(a, b), crosswise(b, a)]);
    const rows = await database.dataSource.query('SELECT size_bytes FROM image_versions WHERE id = ANY($1)', [[a, b]]);
    expect(rows).toEqual([{ size_bytes: '3' }, { size_bytes: '3' }]);
  });

  it('gives a connection up on which PostgreSQL has fallen silent, and goes on with another', async () => {
    const impatient = await createDataSource(database.url, { answerWithinMs: 300 }).initialize();
    let frozen: number | undefined;
    try {
      const work = transact(impatient, async (unit) => {
        const [backend] = await unit.rows<{ pid: number }>('SELECT pg_backend_pid() AS pid');
        frozen = backend?.pid;
        if (frozen !== undefined) process.kill(frozen, 'SIGSTOP');
        await unit.rows('SELECT 1');
      });
      const error: unknown = await work.catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ message: expect.stringMatching(/did not answer|terminated/), code: 'ETIMEDOUT' });
      expect(asDomainError(error)).toMatchObject({ code: 'unavailable', status: 503 });
      expect(await readRows(impatient, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
      expect(await transact(impatient, (unit) => unit.rows('SELECT 2 AS two'))).toEqual([{ two: 2 }]);
    } finally {
      if (frozen !== undefined) process.kill(frozen, 'SIGCONT');
      await impatient.destroy();
    }
  });

  it('has nothing left to migrate, and can go back and forth', async () => {
    expect(await runMigrations(database.dataSource)).toEqual([]);
    await database.dataSource.undoLastMigration();
    expect(await runMigrations(database.dataSource)).toHaveLength(1);
  });
});
