import { describe, expect, it } from '@jest/globals';
import { pino } from 'pino';
import { DirectoryObjectStore } from './directory/directory-object-store.js';
import { openObjectStore } from './open-object-store.js';
import { S3ObjectStore } from './s3/s3-object-store.js';

const logger = pino({ enabled: false });
const open = (url: string) => openObjectStore(url, undefined, logger);

describe('openObjectStore', () => {
  it('opens a folder and a bucket', () => {
    expect(open('file:///srv/store')).toBeInstanceOf(DirectoryObjectStore);
    const keys = { accessKeyId: 'a', secretAccessKey: 'b' };
    const url = 's3://volumes/site-1?endpoint=http://127.0.0.1:9000&region=eu-central-1';
    const bucket = openObjectStore(url, keys, logger);
    expect(bucket).toBeInstanceOf(S3ObjectStore);
    const settings = { bucket: 'volumes', keyPrefix: 'site-1/', endpoint: 'http://127.0.0.1:9000' };
    expect(bucket).toMatchObject({ options: { ...settings, region: 'eu-central-1', credentials: keys } });
    expect(open('s3://volumes')).toMatchObject({ options: { bucket: 'volumes', region: 'us-east-1' } });
  });

  it.each([
    'no url',
    'https://host/store',
    'file:///',
    'file://host/store',
    's3:///prefix',
    's3://me:hidden@bucket',
    's3://bucket?endpoint=ftp://host',
    's3://bucket?endpoint=nothing',
    's3://bucket?key=hidden',
  ])('refuses %s, without saying what it held', (url) => {
    expect(() => open(url)).toThrow(/^the URL of the volume store cannot be used: (?!.*hidden)/);
  });
});
