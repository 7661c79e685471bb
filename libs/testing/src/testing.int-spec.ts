import { describe, expect, it } from '@jest/globals';
import { createTestDatabase } from './test-database.js';
import { testGuacd } from './test-guacd.js';
import { createTestRedis } from './test-redis.js';

describe('createTestDatabase', () => {
  it('gives every caller a migrated, empty database of its own, also when many ask at once', async () => {
    const databases = await Promise.all([createTestDatabase(), createTestDatabase(), createTestDatabase()]);
    const [one, two] = databases;
    await one?.dataSource.query("INSERT INTO golden_images (name, display_name) VALUES ('a', 'A')");
    expect(await one?.dataSource.query('SELECT name FROM golden_images')).toEqual([{ name: 'a' }]);
    expect(await two?.dataSource.query('SELECT name FROM golden_images')).toEqual([]);
    await Promise.all(databases.map((database) => database.destroy()));
  });
});

describe('createTestRedis', () => {
  it('gives every caller an empty database of its own', async () => {
    const [one, two] = [await createTestRedis(), await createTestRedis()];
    await one.redis.set('key', 'value');
    expect(await two.redis.get('key')).toBeNull();
    expect(await one.redis.get('key')).toBe('value');
    await Promise.all([one.destroy(), two.destroy()]);
  });
});

describe('testGuacd', () => {
  it('names a server on loopback', () => {
    expect(testGuacd()).toMatchObject({ host: '127.0.0.1', port: expect.any(Number) });
  });
});
