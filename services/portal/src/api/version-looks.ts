import {
  type BeginProfileLookup,
  type ProfileLookupBegun,
  type ProfileLookupView,
  profileLookupBegunSchema,
  profileLookupViewSchema,
} from '#libs/contracts';
import type { BrokerHttp } from './broker-http.js';

/** Looks into one version of a profile. A provisioner does them within seconds; they are forgotten after ten minutes. */
export class VersionLooks {
  /** @param volumePath of the profile, e.g. `/me/profile/volumes/work` */
  constructor(
    private readonly http: BrokerHttp,
    private readonly volumePath: string,
    readonly number: number,
  ) {}

  begin(wanted: BeginProfileLookup): Promise<ProfileLookupBegun> {
    return this.http.call(this.path, profileLookupBegunSchema, { method: 'POST', body: wanted });
  }

  view(id: string): Promise<ProfileLookupView> {
    return this.http.call(`${this.path}/${id}`, profileLookupViewSchema);
  }

  /** Where the browser gets a file that was found: it is always sent as a download. */
  contentUrl(id: string): string {
    return this.http.url(`${this.path}/${id}/content`);
  }

  private get path(): string {
    return `${this.volumePath}/versions/${this.number}/lookups`;
  }
}
