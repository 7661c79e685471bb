import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { iconUrl } from '#libs/apps';
import type { MyApp } from '#libs/contracts';
import { readRows } from '#libs/database';
import { givenApps, type Person, ProfileService } from '#libs/profiles';

interface Shown {
  readonly id: string;
  readonly name: string;
  readonly displayName: string;
  readonly description: string;
  readonly pools: string[];
}

/** The applications that a person may use, as their roles are now; a live session may have others. */
@Injectable()
export class MyApps {
  constructor(
    private readonly dataSource: DataSource,
    private readonly profiles: ProfileService,
  ) {}

  /** By display name; also those that they may pin. */
  async list(person: Person): Promise<MyApp[]> {
    const choices = await this.profiles.choices(person);
    const pins = new Set(choices.pins.map(({ appId }) => appId));
    const allowed = choices.assignments.map(({ appId }) => ({ username: person.username, appId }));
    const { apps } = givenApps(person, { ...choices, pins: allowed });
    const shown = await this.shown(
      apps.map(({ versionId }) => versionId),
      person.roles,
    );
    return shown.flatMap(({ id, ...app }) => {
      const found = apps.find(({ appId }) => appId === id);
      if (!found) return [];
      const kind = found.isPinned ? ('allowed' as const) : ('assigned' as const);
      const pinned = found.isPinned && pins.has(id);
      return [{ ...app, iconUrl: iconUrl(app.name), mode: found.mode, kind, pinned }];
    });
  }

  /** Pools that start from the golden image that the layer was built on come first. */
  private async shown(versionIds: readonly string[], roles: readonly string[]): Promise<Shown[]> {
    if (versionIds.length === 0) return [];
    return readRows<Shown>(
      this.dataSource,
      `SELECT apps.id, apps.name, apps.display_name AS "displayName", apps.description,
              (SELECT coalesce(jsonb_agg(pools.name ORDER BY golden_images.name <> base_image, pools.display_name), '[]')
                 FROM pools JOIN golden_images ON golden_images.id = pools.image_id
                WHERE pools.roles && $2::text[]) AS pools
         FROM app_versions JOIN apps ON apps.id = app_id
        WHERE app_versions.id = ANY($1) ORDER BY apps.display_name, apps.name`,
      [versionIds, roles],
    );
  }
}
