import {
  type BeginProfileLookup,
  type ProfileLookupBegun,
  type ProfileLookupView,
  profileLookupBegunSchema,
  profileLookupViewSchema,
} from '#libs/contracts';
import { type BrokerHttp, pathOf } from './broker-http.js';

/** Looks into one version of a person's profile. Every call throws CliError. */
export class VersionLooks {
  private readonly path: string;

  constructor(
    private readonly http: BrokerHttp,
    username: string,
    context: string,
    number: number,
  ) {
    this.path = pathOf('profiles', username, 'volumes', context, 'versions', number, 'lookups');
  }

  /** A provisioner does it within seconds. */
  begin(wanted: BeginProfileLookup): Promise<ProfileLookupBegun> {
    return this.http.call({ method: 'POST', path: this.path, body: wanted, answer: profileLookupBegunSchema });
  }

  view(id: string): Promise<ProfileLookupView> {
    return this.http.call({ path: `${this.path}${pathOf(id)}`, answer: profileLookupViewSchema });
  }

  /** The file that was found. */
  content(id: string): Promise<Uint8Array> {
    return this.http.bytes(`${this.path}${pathOf(id, 'content')}`);
  }
}
