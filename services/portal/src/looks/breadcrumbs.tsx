import { useEffect, useRef } from 'react';
import { hrefOf } from '../state/profile-place.js';
import { FileName } from './file-name.js';

interface Props {
  readonly context: string;
  readonly number: number;
  readonly path: string;
}

/** The way from the home to the folder that is shown, which has the focus after every step: the list comes next. */
export function Breadcrumbs({ context, number, path }: Props) {
  const here = useRef<HTMLSpanElement>(null);
  const shown = useRef(path);
  useEffect(() => {
    if (shown.current === path) return;
    shown.current = path;
    window.scrollTo(0, 0);
    here.current?.focus();
  }, [path]);

  const folders = path === '' ? [] : path.split('/');
  const steps = ['', ...folders].map((name, index) => ({ name, path: folders.slice(0, index).join('/') }));
  return (
    <nav aria-label="Folder">
      <ol className="breadcrumbs" data-testid="breadcrumbs">
        {steps.map((step, index) => {
          const name = index === 0 ? 'Home' : <FileName name={step.name} />;
          return (
            <li key={step.path}>
              {index === steps.length - 1 ? (
                <span ref={here} tabIndex={-1} aria-current="page" data-testid="folder-shown">
                  {name}
                </span>
              ) : (
                <a href={hrefOf({ context, look: { number, path: step.path } })}>{name}</a>
              )}
            </li>
          );
        })}
      </ol>
    </nav>
  );
}
