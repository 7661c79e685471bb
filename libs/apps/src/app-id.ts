import type { UnitOfWork } from '#libs/database';
import { DomainError, errors } from '#libs/kernel';

/** The error of a name that no application has. */
export const noSuchApp = (name: string): DomainError =>
  new DomainError(errors.notFound, `There is no application "${name}"`);

/** Id of the application of this name. @throws DomainError `not-found` */
export async function appIdOf(unit: UnitOfWork, name: string): Promise<string> {
  const [app] = await unit.rows<{ id: string }>('SELECT id FROM apps WHERE name = $1', [name]);
  if (!app) throw noSuchApp(name);
  return app.id;
}
