import { z } from 'zod';
import {
  type AppView,
  type AssignApp,
  appViewSchema,
  type DesktopView,
  desktopViewSchema,
  type HostView,
  hostViewSchema,
  type ImageVersionView,
  type ImageView,
  type ImportImage,
  type ImportProfile,
  imageVersionViewSchema,
  imageViewSchema,
  type PoolProfile,
  type PoolView,
  type ProfileImportView,
  type ProfileLimitView,
  type ProfileVersionView,
  type ProfileView,
  type ProfileVolumeView,
  poolViewSchema,
  profileImportViewSchema,
  profileLimitViewSchema,
  profileVersionViewSchema,
  profileViewSchema,
  profileVolumeViewSchema,
  type RegisterAppVersion,
  type UpdateAppVersion,
} from '#libs/contracts';
import { type BrokerHttp, noAnswer, pathOf } from './broker-http.js';
import { VersionLooks } from './version-looks.js';

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

  pool(name: string): Promise<PoolView> {
    return this.http.call({ path: pathOf('pools', name), answer: poolViewSchema });
  }

  /** What the pool does with profiles, for desktops that are given to sessions from now on; null: it has none. */
  setPoolProfile(name: string, profile: PoolProfile | null): Promise<PoolView> {
    const path = pathOf('pools', name);
    return this.http.call({ method: 'PATCH', path, body: { profile }, answer: poolViewSchema });
  }

  /** Latest logon first, at most 1000. @param username only of this person */
  profiles(username?: string): Promise<ProfileView[]> {
    const query = new URLSearchParams({ limit: '1000', ...(username !== undefined && { username }) });
    return this.http.call({ path: `/profiles?${query}`, answer: z.array(profileViewSchema) });
  }

  /** By context; none for somebody who is not known. */
  profileVolumes(username: string): Promise<ProfileVolumeView[]> {
    return this.http.call({ path: pathOf('profiles', username, 'volumes'), answer: z.array(profileVolumeViewSchema) });
  }

  /** Newest first, damaged ones too. */
  profileVersions(username: string, context: string): Promise<ProfileVersionView[]> {
    const path = pathOf('profiles', username, 'volumes', context, 'versions');
    return this.http.call({ path, answer: z.array(profileVersionViewSchema) });
  }

  /** Begins it: a provisioner does it within seconds. */
  async restoreProfile(username: string, context: string, number: number): Promise<void> {
    const path = pathOf('profiles', username, 'volumes', context, 'versions', number, 'restore');
    await this.http.call({ method: 'POST', path, answer: noAnswer });
  }

  /** Has a version that was copied into the site's store made the newest: a provisioner does it within seconds. */
  importProfile(username: string, context: string, wanted: ImportProfile): Promise<ProfileImportView> {
    const path = pathOf('profiles', username, 'volumes', context, 'import');
    return this.http.call({ method: 'POST', path, body: wanted, answer: profileImportViewSchema });
  }

  profileImport(id: string): Promise<ProfileImportView> {
    return this.http.call({ path: pathOf('profiles', 'imports', id), answer: profileImportViewSchema });
  }

  /** What a version of a profile holds. */
  versionLooks(username: string, context: string, number: number): VersionLooks {
    return new VersionLooks(this.http, username, context, number);
  }

  /** Destroys the keys of all of a person's volumes, or of one. */
  async deleteProfile(username: string, context?: string): Promise<void> {
    const path =
      context === undefined ? pathOf('profiles', username) : pathOf('profiles', username, 'volumes', context);
    await this.http.call({ method: 'DELETE', path, answer: noAnswer });
  }

  profileLimits(): Promise<ProfileLimitView[]> {
    return this.http.call({ path: '/profiles/limits', answer: z.array(profileLimitViewSchema) });
  }

  setProfileLimit(role: string, sizeMiB: number): Promise<ProfileLimitView> {
    const path = pathOf('profiles', 'limits', role);
    return this.http.call({ method: 'PUT', path, body: { sizeMiB }, answer: profileLimitViewSchema });
  }

  async removeProfileLimit(role: string): Promise<void> {
    await this.http.call({ method: 'DELETE', path: pathOf('profiles', 'limits', role), answer: noAnswer });
  }

  /** All that exist, newest first. */
  desktops(): Promise<DesktopView[]> {
    return this.http.call({ path: '/desktops', answer: z.array(desktopViewSchema) });
  }

  /** Has a desktop go without saving its profile: its host does it within seconds. */
  giveUpProfile(desktopId: string): Promise<DesktopView> {
    const path = pathOf('desktops', desktopId, 'give-up-profile');
    return this.http.call({ method: 'POST', path, answer: desktopViewSchema });
  }

  hosts(): Promise<HostView[]> {
    return this.http.call({ path: '/hosts', answer: z.array(hostViewSchema) });
  }

  /** Gives a host up, or takes one back that was given up. */
  async fenceHost(name: string, fenced: boolean): Promise<void> {
    const path = pathOf('hosts', name, 'fence');
    await this.http.call({ method: fenced ? 'PUT' : 'DELETE', path, answer: noAnswer });
  }
}
