import ldapjs, { type Filter } from 'ldapjs';
import type { Logger } from 'pino';
import { dnKey, isBelow, parseDn } from './distinguished-name.js';
import type { LdapEntry, LdapSearch } from './ldap-codec.js';

// CommonJS: Node finds these on the default export only.
const { EqualityFilter, ExtensibleFilter, OrFilter } = ldapjs;

export interface GroupWalkOptions {
  readonly groupBaseDn: string;
  readonly groupNameAttribute: string;
  readonly nestedGroups: 'walk' | 'in-chain';
}

export interface GroupMember {
  readonly dn: string;
  readonly username: string;
  /** Values of `memberOf`, where the directory keeps it. */
  readonly memberOf: readonly string[];
}

const maxDepth = 16;
const maxGroups = 1000;
/** Names asked for in one search. */
const batchSize = 50;
const inChainRule = '1.2.840.113556.1.4.1941';

/**
 * Finds all groups a person is in: breadth-first up the `member`, `uniqueMember` and `memberUid` of groups, and from
 * `memberOf`. Every group is visited once, so that cycles end; depth and number are bounded.
 */
export class GroupWalk {
  constructor(
    private readonly options: GroupWalkOptions,
    private readonly search: (search: LdapSearch) => Promise<readonly LdapEntry[]>,
    private readonly logger: Logger,
  ) {}

  /** @returns names, sorted, each once */
  async groupsOf(person: GroupMember): Promise<string[]> {
    const names = new Set<string>();
    const visited = new Set<string>();
    const enter = (dn: string, name: string | undefined): boolean => {
      const key = dnKey(dn);
      // The base bounds what can give roles, also for what memberOf says.
      if (visited.has(key) || !isBelow(dn, this.options.groupBaseDn)) return false;
      visited.add(key);
      if (name) names.add(name);
      return true;
    };

    let frontier = person.memberOf.filter((dn) => enter(dn, this.nameInDn(dn)));
    const direct = await this.find([...this.memberFilters(person.dn), ...uidFilter(person.username)]);
    frontier.push(...direct.filter((group) => enter(group.dn, this.nameOf(group))).map(({ dn }) => dn));

    for (let depth = 1; frontier.length > 0 && this.options.nestedGroups === 'walk'; depth += 1) {
      if (depth > maxDepth || visited.size > maxGroups) {
        this.logger.warn(
          { depth, groups: visited.size },
          'groups are nested too deep or too many: the rest is left out',
        );
        break;
      }
      const next: string[] = [];
      for (let start = 0; start < frontier.length; start += batchSize) {
        const batch = frontier.slice(start, start + batchSize);
        const parents = await this.find(batch.flatMap((dn) => this.memberFilters(dn)));
        next.push(...parents.filter((group) => enter(group.dn, this.nameOf(group))).map(({ dn }) => dn));
      }
      frontier = next;
    }
    return [...names].sort();
  }

  private find(filters: readonly Filter[]): Promise<readonly LdapEntry[]> {
    return this.search({
      baseDn: this.options.groupBaseDn,
      scope: 'sub',
      filter: new OrFilter({ filters: [...filters] }),
      attributes: [this.options.groupNameAttribute],
      sizeLimit: maxGroups,
    });
  }

  private memberFilters(dn: string): Filter[] {
    if (this.options.nestedGroups === 'in-chain') {
      return [new ExtensibleFilter({ matchType: 'member', rule: inChainRule, value: dn })];
    }
    return ['member', 'uniqueMember'].map((attribute) => new EqualityFilter({ attribute, value: dn }));
  }

  private nameOf(group: LdapEntry): string | undefined {
    return group.attributes.get(this.options.groupNameAttribute.toLowerCase())?.[0];
  }

  /** `memberOf` holds DNs only; the name is read from the DN when its first step is the naming attribute. */
  private nameInDn(dn: string): string | undefined {
    const attribute = this.options.groupNameAttribute.toLowerCase();
    return parseDn(dn)?.[0]?.find(({ type }) => type === attribute)?.value;
  }
}

const uidFilter = (username: string): Filter[] => [new EqualityFilter({ attribute: 'memberUid', value: username })];
