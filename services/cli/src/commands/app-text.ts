import type { AppAssignmentView, AppVersionView, AppView } from '#libs/contracts';
import { bytes, count, list, minute } from '../text/format.js';
import { facts, table } from '../text/table.js';

/** What is served to most: the newest published version of the broad ring, or the newest of any. */
function currentVersion({ versions }: AppView): AppVersionView | undefined {
  const published = versions.filter(({ state }) => state === 'published');
  return published.find(({ ring }) => ring === 'broad') ?? published[0] ?? versions[0];
}

const desktopsOf = ({ desktops: { ready, failed } }: AppView): string =>
  failed === 0 ? `${ready}` : `${ready}, ${failed} without`;

/** One line for each application. */
export function appTable(apps: readonly AppView[]): string {
  return table(
    ['name', 'title', 'version', 'size', 'roles', 'people', 'desktops'],
    apps.map((app) => {
      const version = currentVersion(app);
      return [
        app.name,
        app.displayName,
        version
          ? `${version.number} (${version.label})${version.state === 'published' ? '' : ` ${version.state}`}`
          : '-',
        version ? bytes(version.layerBytes) : '-',
        list(app.assignments.map(({ role, kind }) => (kind === 'allowed' ? `${role} (allowed)` : role))),
        app.people,
        desktopsOf(app),
      ];
    }),
    'There are no applications: make one with goldleaf app build',
  );
}

/** An application with its versions and who gets it. */
export function appPage(app: AppView): string {
  const head = facts([
    ['Name', app.name],
    ['Title', app.displayName],
    ['Description', app.description || '-'],
    ['People', count(app.people, 'profile record')],
    ['Desktops', desktopsOf(app)],
  ]);
  return [head, versionTable(app.versions), assignmentTable(app.assignments)].join('\n\n');
}

const versionTable = (versions: readonly AppVersionView[]): string =>
  table(
    ['version', 'label', 'state', 'ring', 'size', 'for', 'packages', 'key', 'made by', 'made at'],
    versions.map((version) => [
      version.number,
      version.label,
      version.failure === null ? version.state : `${version.state}: ${version.failure}`,
      version.ring,
      bytes(version.layerBytes),
      `${version.os.id} ${version.os.versionId} ${version.os.architecture}`,
      version.packages,
      version.keyId,
      version.createdBy,
      minute(version.createdAt),
    ]),
    'No versions',
  );

const assignmentTable = (assignments: readonly AppAssignmentView[]): string =>
  table(
    ['role', 'kind', 'gets', 'at next logon', 'mode', 'by', 'since'],
    assignments.map((assignment) => [
      assignment.role,
      assignment.kind,
      assignment.version === null ? `newest of ${assignment.ring}` : `version ${assignment.version}`,
      assignment.serves === null ? 'nothing' : `version ${assignment.serves}`,
      assignment.mode,
      assignment.createdBy,
      minute(assignment.createdAt),
    ]),
    'Nobody gets it: goldleaf app assign NAME ROLE',
  );
