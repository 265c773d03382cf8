/** What the browser does: it takes the page over as the server made it, keeps it up to date, and opens dialogues. */
import { hydrate, type VNode } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import type { SessionDialogue } from '../../ios/live/frame.js';
import { addPoint } from '../../ios/live/history.js';
import { withNews } from '../../ios/live/reader.js';
import { Curve } from './curve.js';
import { DialogueView } from './dialogue-view.js';
import { Feed } from './feed.js';
import { type Link, LiveView } from './live-view.js';
import type { FirstSight } from './page-module.js';

/** What the curves keep, ms: a wall screen that was never loaded anew does not grow. */
const KEEP_MS = 310_000;

function App({ first }: { first: FirstSight }): VNode {
  const [seen, setSeen] = useState(first);
  const [link, setLink] = useState<Link>('still');
  const [session, setSession] = useState<string>();
  const feed = useRef<Feed | undefined>(undefined);
  useEffect(() => {
    feed.current = new Feed('/live/events', {
      whole(whole) {
        setSeen(whole);
        setLink('live');
      },
      news(news) {
        setSeen(({ frame, history }) => {
          addPoint(history, news, KEEP_MS);
          return { frame: withNews(frame, news), history };
        });
        setLink('live');
      },
      lost: () => setLink('lost'),
    });
  }, []);
  const pause = (): void => {
    if (feed.current?.pause() === true) setLink('paused');
  };
  // The first time it must be as the server made it.
  const hands = link === 'still' ? undefined : { open: setSession, pause, Curve };
  return (
    <>
      <LiveView {...seen} link={link} hands={hands} />
      {session !== undefined && (
        <DialogueDrawer session={session} at={seen.frame.at} close={() => setSession(undefined)} />
      )}
    </>
  );
}

/** Stands over the page until it is closed; asks for what is new with each frame. */
function DialogueDrawer({ session, at, close }: { session: string; at: number; close: () => void }): VNode {
  const drawer = useRef<HTMLDialogElement>(null);
  const [told, setTold] = useState<SessionDialogue>();
  const [failed, setFailed] = useState(false);
  useEffect(() => drawer.current?.showModal(), []);
  const asking = useRef(false);
  useEffect(() => {
    if (asking.current) return;
    asking.current = true;
    fetch(`/live/session/${session}.json`)
      .then(async (answer) => {
        if (!answer.ok) throw new Error(String(answer.status));
        setTold((await answer.json()) as SessionDialogue);
        setFailed(false);
      })
      .catch(() => setFailed(true))
      .finally(() => (asking.current = false));
  }, [session, at]);
  return (
    <dialog ref={drawer} aria-labelledby="dialogue-title" onClose={close}>
      <div class="head">
        <h2 id="dialogue-title">{`Session ${session}`}</h2>
        <form method="dialog">
          <button>Close</button>
        </form>
      </div>
      {failed && <p class="alarm">The router does not answer.</p>}
      {told !== undefined && <DialogueView told={told} />}
    </dialog>
  );
}

const data = document.getElementById('first')!;
hydrate(<App first={JSON.parse(data.textContent) as FirstSight} />, document.getElementById('live')!);
