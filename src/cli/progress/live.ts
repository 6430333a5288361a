import type { Io } from "../io.ts";
import type { Update } from "../follow.ts";
import type { Style } from "../style.ts";
import { frame } from "./frame.ts";
import type { Progress } from "./progress.ts";
import { DeploymentView } from "./view.ts";

const FRAME_MS = 100;
const HIDE_CURSOR = "\u001B[?25l";
const SHOW_CURSOR = "\u001B[?25h";
/** ECMA-48: to the line's begin (the terminal echoes ^C), up n lines, then erase from there to the end of the screen. */
const rewind = (lines: number): string => (lines === 0 ? "" : `\r\u001B[${String(lines)}A\u001B[J`);

/** Draws a deployment in place on a terminal, ten times a second. */
export class LiveProgress implements Progress {
  readonly #io: Io;
  readonly #style: Style;
  readonly #timer: NodeJS.Timeout;
  #view: DeploymentView | null = null;
  #drawn = 0;
  #tick = 0;

  constructor(io: Io, style: Style) {
    this.#io = io;
    this.#style = style;
    io.stdout.write(HIDE_CURSOR);
    this.#timer = setInterval(() => {
      this.#draw(false);
    }, FRAME_MS);
  }

  update(update: Update): void {
    if (this.#view === null) {
      if (update.kind === "snapshot") this.#view = new DeploymentView(update.deployment);
      return;
    }
    this.#view.apply(update);
  }

  end(): void {
    clearInterval(this.#timer);
    this.#draw(true);
    this.#io.stdout.write(SHOW_CURSOR);
  }

  #draw(last: boolean): void {
    if (this.#view === null) return;
    const { stdout, clock } = this.#io;
    const all = frame(this.#view, {
      now: clock.now(),
      columns: stdout.columns,
      style: this.#style,
      tick: this.#tick++,
      last,
    });
    // What has scrolled off the top cannot be drawn over.
    const lines = last ? all : all.slice(-(stdout.rows - 1));
    stdout.write(`${rewind(this.#drawn)}${lines.join("\n")}\n`);
    this.#drawn = lines.length;
  }
}
