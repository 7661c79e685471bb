import type { ProfileView } from '#libs/contracts';

/** The applications on a person's record. */
export function AppChips({ apps }: Pick<ProfileView, 'apps'>) {
  if (apps.length === 0) return <span className="muted">None</span>;
  return (
    <ul className="chips">
      {apps.map((app) => (
        <li key={app.name} className="chip" title={`From ${app.role}`}>
          {app.displayName} <span className="muted">no. {app.version}</span>
          {app.pinned && <span className="chip-mark">own choice</span>}
          {app.mode === 'on-demand' && <span className="chip-mark">when first opened</span>}
        </li>
      ))}
    </ul>
  );
}
