import { z } from 'zod';
import {
  type AppView,
  type AssignApp,
  appViewSchema,
  type DesktopView,
  desktopViewSchema,
  type ImageView,
  imageViewSchema,
  type ProfileLimitView,
  type ProfileVersionView,
  type ProfileView,
  type ProfileVolumeView,
  profileLimitViewSchema,
  profileVersionViewSchema,
  profileViewSchema,
  profileVolumeViewSchema,
  type UpdateAppVersion,
} from '#libs/contracts';
import type { BrokerHttp } from '../api/broker-http.js';
import { VersionLooks } from '../api/version-looks.js';

/** The most that the broker gives at a time. */
export const profilesAtMost = 1000;

const rolesOfPoolSchema = z.object({ roles: z.array(z.string()) });

/** One profile of a person, with its versions, newest first. */
export interface PersonProfile {
  readonly volume: ProfileVolumeView;
  readonly versions: readonly ProfileVersionView[];
}

/** What the broker's HTTP API does for IT. Who is not of IT gets `forbidden` from every call. */
export class ConsoleClient {
  constructor(private readonly http: BrokerHttp) {}

  readonly apps = (): Promise<AppView[]> => this.http.call('/apps', appViewSchema.array());

  /** Latest logon first, at most `profilesAtMost`. */
  readonly profiles = (): Promise<ProfileView[]> =>
    this.http.call(`/profiles?limit=${profilesAtMost}`, profileViewSchema.array());

  /** Those of one person; empty for somebody who has none. */
  async profilesOf(username: string): Promise<PersonProfile[]> {
    const path = `/profiles/${encodeURIComponent(username)}/volumes`;
    const volumes = await this.http.call(path, profileVolumeViewSchema.array());
    return Promise.all(
      volumes.map(async (volume) => ({
        volume,
        versions: await this.http.call(`${path}/${volume.context}/versions`, profileVersionViewSchema.array()),
      })),
    );
  }

  /** The record of one person's last logon; null where there is none. */
  async person(username: string): Promise<ProfileView | null> {
    const query = new URLSearchParams({ username });
    const [found] = await this.http.call(`/profiles?${query}`, profileViewSchema.array());
    return found ?? null;
  }

  /** Begins it: a provisioner does it within seconds. */
  restoreProfile(username: string, context: string, number: number): Promise<void> {
    const path = `/profiles/${encodeURIComponent(username)}/volumes/${context}/versions/${number}/restore`;
    return this.http.callWithoutAnswer(path, { method: 'POST' });
  }

  /** The audit log says who looked at what. */
  versionLooks(username: string, context: string, number: number): VersionLooks {
    return new VersionLooks(this.http, `/profiles/${encodeURIComponent(username)}/volumes/${context}`, number);
  }

  /** Destroys the key of one profile of a person: nobody can ever read it again. */
  deleteProfile(username: string, context: string): Promise<void> {
    const path = `/profiles/${encodeURIComponent(username)}/volumes/${context}`;
    return this.http.callWithoutAnswer(path, { method: 'DELETE' });
  }

  readonly limits = (): Promise<ProfileLimitView[]> =>
    this.http.call('/profiles/limits', profileLimitViewSchema.array());

  /** From people's next logon on; null takes the limit away. */
  setLimit(role: string, sizeMiB: number | null): Promise<void> {
    const path = `/profiles/limits/${encodeURIComponent(role)}`;
    if (sizeMiB === null) return this.http.callWithoutAnswer(path, { method: 'DELETE' });
    return this.http.callWithoutAnswer(path, { method: 'PUT', body: { sizeMiB } });
  }

  /** All that exist, newest first. */
  readonly desktops = (): Promise<DesktopView[]> => this.http.call('/desktops', desktopViewSchema.array());

  /** Has a desktop go without saving its profile: its host does it within seconds. */
  giveUpProfile(desktopId: string): Promise<void> {
    return this.http.callWithoutAnswer(`/desktops/${desktopId}/give-up-profile`, { method: 'POST' });
  }

  readonly images = (): Promise<ImageView[]> => this.http.call('/images', imageViewSchema.array());

  /** Roles that some pool names, for suggestions: the directory may know more. */
  readonly knownRoles = async (): Promise<string[]> => {
    const pools = await this.http.call('/pools', rolesOfPoolSchema.array());
    return [...new Set(pools.flatMap((pool) => pool.roles))].sort();
  };

  /** Gives an application to a role, or changes how it is given. */
  assign(app: string, role: string, assignment: AssignApp): Promise<void> {
    return this.http.callWithoutAnswer(assignmentPath(app, role), { method: 'PUT', body: assignment });
  }

  /** `now`: also from the desktops of people who are in a session. */
  withdraw(app: string, role: string, now: boolean): Promise<void> {
    return this.http.callWithoutAnswer(`${assignmentPath(app, role)}${now ? '?now=true' : ''}`, { method: 'DELETE' });
  }

  updateVersion(app: string, number: number, change: UpdateAppVersion): Promise<void> {
    return this.http.callWithoutAnswer(`/apps/${app}/versions/${number}`, { method: 'PATCH', body: change });
  }

  publishImage(image: string, number: number): Promise<void> {
    return this.http.callWithoutAnswer(`/images/${image}/versions/${number}/publish`, { method: 'POST' });
  }

  /** Takes version `number`, which serves, back: new desktops start from the one that served before it. */
  rollBackImage(image: string, number: number): Promise<void> {
    return this.http.callWithoutAnswer(`/images/${image}/versions/${number}/rollback`, { method: 'POST' });
  }
}

function assignmentPath(app: string, role: string): string {
  return `/apps/${app}/assignments/${encodeURIComponent(role)}`;
}
