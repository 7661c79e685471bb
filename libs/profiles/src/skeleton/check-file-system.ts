/** What a look through a whole file system found. */
export type FileSystemCheck =
  | {
      readonly state: 'good';
      /** Unmounted, not only complete with its journal. */
      readonly isClean: boolean;
    }
  | {
      readonly state: 'damaged';
      /** For operators: the first of what was found. */
      readonly detail: string;
    };
