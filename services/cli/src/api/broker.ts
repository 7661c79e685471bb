import { z } from 'zod';
import {
  type AppView,
  type AssignApp,
  appViewSchema,
  type ImageView,
  imageViewSchema,
  type PoolView,
  type ProfileView,
  poolViewSchema,
  profileViewSchema,
  type RegisterAppVersion,
  type UpdateAppVersion,
} from '#libs/contracts';
import { type BrokerHttp, noAnswer, pathOf } from './broker-http.js';

/** What IT may ask the broker, as whoever signed in. Every call throws CliError. */
export class Broker {
  constructor(private readonly http: BrokerHttp) {}

  apps(): Promise<AppView[]> {
    return this.http.call({ path: '/apps', answer: z.array(appViewSchema) });
  }

  app(name: string): Promise<AppView> {
    return this.http.call({ path: pathOf('apps', name), answer: appViewSchema });
  }

  /** The very same layer again is no fault. */
  async registerApp(name: string, version: RegisterAppVersion): Promise<AppView> {
    await this.http.call({
      method: 'POST',
      path: pathOf('apps', name, 'versions'),
      body: version,
      answer: noAnswer,
    });
    return this.app(name);
  }

  async updateAppVersion(name: string, number: number, change: UpdateAppVersion): Promise<AppView> {
    const path = pathOf('apps', name, 'versions', number);
    await this.http.call({ method: 'PATCH', path, body: change, answer: noAnswer });
    return this.app(name);
  }

  async assignApp(name: string, role: string, assignment: AssignApp): Promise<AppView> {
    const path = pathOf('apps', name, 'assignments', role);
    await this.http.call({ method: 'PUT', path, body: assignment, answer: noAnswer });
    return this.app(name);
  }

  async withdrawApp(name: string, role: string, now: boolean): Promise<AppView> {
    const path = `${pathOf('apps', name, 'assignments', role)}${now ? '?now=true' : ''}`;
    await this.http.call({ method: 'DELETE', path, answer: noAnswer });
    return this.app(name);
  }

  images(): Promise<ImageView[]> {
    return this.http.call({ path: '/images', answer: z.array(imageViewSchema) });
  }

  pools(): Promise<PoolView[]> {
    return this.http.call({ path: '/pools', answer: z.array(poolViewSchema) });
  }

  profiles(): Promise<ProfileView[]> {
    return this.http.call({ path: '/profiles', answer: z.array(profileViewSchema) });
  }
}
