import type { ProfileView } from '#libs/contracts';

/** People for whom every word of `filter` is somewhere in their name, roles or applications. */
export function filterPeople(people: readonly ProfileView[], filter: string): readonly ProfileView[] {
  const words = filter.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return people;
  return people.filter((person) => {
    const text = [person.username, ...person.roles, ...person.apps.flatMap((app) => [app.name, app.displayName])]
      .join('\n')
      .toLowerCase();
    return words.every((word) => text.includes(word));
  });
}
