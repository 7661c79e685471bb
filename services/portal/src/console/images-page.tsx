import { useState } from 'react';
import type { ImageVersionView, ImageView } from '#libs/contracts';
import { usePortal } from '../state/portal-context.js';
import { useResource } from '../state/use-resource.js';
import { Modal } from '../ui/modal.js';
import { useConsoleClient } from './console-context.js';
import { ImageTable } from './image-table.js';
import { Loaded } from './loaded.js';

interface Question {
  readonly title: string;
  readonly text: string;
  readonly action: string;
  readonly done: string;
  call(): Promise<void>;
}

/** The golden images with their versions: which one new desktops are made of, and how to change that. */
export function ImagesPage() {
  const portal = usePortal();
  const client = useConsoleClient();
  const images = useResource(client.images);
  const [question, setQuestion] = useState<Question | null>(null);

  const publish = (image: ImageView, { number }: ImageVersionView): void =>
    setQuestion({
      title: `Publish version ${number} of ${image.displayName}?`,
      text: 'New desktops start from it as soon as a host is ready for it.',
      action: 'Publish',
      done: `Version ${number} of ${image.displayName} is being published.`,
      call: () => client.publishImage(image.name, number),
    });
  const rollBack = (image: ImageView, { number }: ImageVersionView, target: ImageVersionView): void =>
    setQuestion({
      title: `Roll ${image.displayName} back?`,
      text: `New desktops start from version ${target.number} again.`,
      action: 'Roll back',
      done: `${image.displayName} is being rolled back to version ${target.number}.`,
      call: () => client.rollBackImage(image.name, number),
    });

  return (
    <>
      <h1>Images</h1>
      <p className="lead">The golden images that desktops are made of.</p>
      <Loaded resource={images}>
        {(all) =>
          all.length === 0 ? (
            <p className="table-empty">
              There is no golden image yet. The goldleaf command line builds and imports them.
            </p>
          ) : (
            all.map((image) => <ImageTable key={image.name} image={image} onPublish={publish} onRollBack={rollBack} />)
          )
        }
      </Loaded>
      {question && (
        <Modal
          title={question.title}
          action={question.action}
          testId="image-dialog"
          onClose={() => setQuestion(null)}
          onAction={async () => {
            await question.call();
            portal.say('info', question.done);
            await images.reload();
          }}
        >
          <p>{question.text} Spares of another version are replaced.</p>
          <p>People keep the desktop they have until they log off or restart clean.</p>
        </Modal>
      )}
    </>
  );
}
