import { z } from 'zod';
import {
  type AppView,
  type AssignApp,
  appViewSchema,
  type ImageVersionView,
  type ImageView,
  type ImportImage,
  imageVersionViewSchema,
  imageViewSchema,
  type PoolView,
  type ProfileView,
  poolViewSchema,
  profileViewSchema,
  type RegisterAppVersion,
  type UpdateAppVersion,
} from '#libs/contracts';
import { type BrokerHttp, pathOf } from './broker-http.js';

/** What IT may ask the broker, as whoever signed in. Every call throws CliError. */
export class Broker {
  constructor(private readonly http: BrokerHttp) {}

  apps(): Promise<AppView[]> {
    return this.http.call({ path: '/apps', answer: z.array(appViewSchema) });
  }

  app(name: string): Promise<AppView> {
    return this.http.call({ path: pathOf('apps', name), answer: appViewSchema });
  }

  /** The very same layer again is the same version again. */
  registerApp(name: string, version: RegisterAppVersion): Promise<AppView> {
    const path = pathOf('apps', name, 'versions');
    return this.http.call({ method: 'POST', path, body: version, answer: appViewSchema });
  }

  updateAppVersion(name: string, number: number, change: UpdateAppVersion): Promise<AppView> {
    const path = pathOf('apps', name, 'versions', number);
    return this.http.call({ method: 'PATCH', path, body: change, answer: appViewSchema });
  }

  assignApp(name: string, role: string, assignment: AssignApp): Promise<AppView> {
    const path = pathOf('apps', name, 'assignments', role);
    return this.http.call({ method: 'PUT', path, body: assignment, answer: appViewSchema });
  }

  withdrawApp(name: string, role: string, now: boolean): Promise<AppView> {
    const path = `${pathOf('apps', name, 'assignments', role)}?now=${now}`;
    return this.http.call({ method: 'DELETE', path, answer: appViewSchema });
  }

  images(): Promise<ImageView[]> {
    return this.http.call({ path: '/images', answer: z.array(imageViewSchema) });
  }

  /** Newest first. */
  imageVersions(name: string): Promise<ImageVersionView[]> {
    return this.http.call({ path: pathOf('images', name, 'versions'), answer: z.array(imageVersionViewSchema) });
  }

  importImage(name: string, image: ImportImage): Promise<ImageVersionView> {
    const path = pathOf('images', name, 'versions');
    return this.http.call({ method: 'POST', path, body: image, answer: imageVersionViewSchema });
  }

  publishImage(name: string, number: number): Promise<ImageVersionView> {
    const path = pathOf('images', name, 'versions', number, 'publish');
    return this.http.call({ method: 'POST', path, answer: imageVersionViewSchema });
  }

  /** The version that serves from now on. */
  rollBackImage(name: string, number: number): Promise<ImageVersionView> {
    const path = pathOf('images', name, 'versions', number, 'rollback');
    return this.http.call({ method: 'POST', path, answer: imageVersionViewSchema });
  }

  pools(): Promise<PoolView[]> {
    return this.http.call({ path: '/pools', answer: z.array(poolViewSchema) });
  }

  /** Latest logon first, at most 1000. @param username only of this person */
  profiles(username?: string): Promise<ProfileView[]> {
    const query = new URLSearchParams({ limit: '1000', ...(username !== undefined && { username }) });
    return this.http.call({ path: `/profiles?${query}`, answer: z.array(profileViewSchema) });
  }
}
