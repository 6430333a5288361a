import type { Milliseconds } from "../../../model/time.ts";
import { type Admission, type Exchange, isRefusal } from "../engine.ts";
import { REFUSAL, type Refusal } from "../refusal.ts";
import type { EngineContext } from "./context.ts";
import type { RequestHead } from "./message/types.ts";
import type { PassageClient } from "./passage-client.ts";
import { SentRequest } from "./sent-request.ts";
import type { Upstream, UpstreamUser } from "./upstream.ts";

export interface DeliveryOwner extends UpstreamUser {
  /** The final head of the answer has not come. */
  readonly isUnanswered: boolean;
  /** No instance gets the request; the exchange knows. */
  refused(refusal: Refusal): void;
  /** The drain's deadline ends the request. */
  cut(): void;
  /** The body may not be passed on. */
  rejected(refusal: Refusal, reason: string): void;
}

/** Brings one request after another of a connection to an instance, or to the next one when that fails. */
export class Delivery {
  readonly request: SentRequest;
  exchange: Exchange | null = null;
  upstream: Upstream | null = null;
  /** When the request's last byte so far came: the instance's time counts from the last one. */
  lastByteIn: Milliseconds = 0;
  /** Between a request's head and `end`. */
  isActive = false;
  /** Of the request's body, how much more may come. */
  #bodyLeft = Infinity;
  readonly #context: EngineContext;
  readonly #client: PassageClient;
  readonly #owner: DeliveryOwner;
  readonly #cut = (): void => {
    this.#owner.cut();
  };
  readonly #isStreaming = (): boolean => !this.#owner.isUnanswered || !this.request.isWhole;

  constructor(context: EngineContext, client: PassageClient, owner: DeliveryOwner) {
    this.#context = context;
    this.#client = client;
    this.#owner = owner;
    this.request = new SentRequest(context.outbox);
  }

  begin(head: RequestHead): void {
    const { facts, requestContext } = this.#client;
    this.isActive = true;
    this.lastByteIn = this.#context.now();
    this.#bodyLeft = this.#context.bodyBytes;
    if (!this.request.begin(head, requestContext)) {
      this.#owner.refused(REFUSAL["head-too-large"]);
      return;
    }
    if (head.contentLength > this.#bodyLeft) {
      this.#owner.refused(REFUSAL["body-too-large"]);
      return;
    }
    const admission = this.#context.dispatcher.admit(facts.of(head));
    facts.forget();
    this.#follow(admission);
  }

  /** Returns up to where the bytes were taken: to the body's end, or not at all while no instance takes them. */
  takeBody(bytes: Buffer, from: number, to: number): number {
    const { upstream, request } = this;
    if (upstream === null || !upstream.isConnected || upstream.link.isStuffed) return from;
    const end = request.putBody(bytes, from, to);
    this.#bodyLeft -= end - from;
    if (request.reject !== null || this.#bodyLeft < 0) {
      this.#context.outbox.discard();
      if (request.reject === null) this.#owner.rejected(REFUSAL["body-too-large"], "the body is too large");
      else this.#owner.rejected(REFUSAL["bad-request"], request.reject);
      return to;
    }
    upstream.link.send(this.#context.outbox);
    if (request.isWhole) this.#isWhole();
    else this.#client.dueAt = this.#context.now() + this.#context.timeouts.bodyMs;
    return end;
  }

  /** The head of a request whose body has not come yet goes alone. */
  flush(): void {
    const { upstream, request } = this;
    if (request.isHeadSent || upstream === null || !upstream.isConnected || !this.isActive) return;
    request.putHead();
    upstream.link.send(this.#context.outbox);
  }

  connected(): void {
    this.exchange?.connected();
    this.#ready();
  }

  connectFailed(): void {
    const { exchange } = this;
    if (exchange === null) return;
    this.request.again();
    this.#follow(exchange.connectFailed());
  }

  /** The connection ended without a byte of an answer. False: it must not be sent again, or not once more. */
  replay(): boolean {
    const again = this.request.isReplayable ? (this.exchange?.replay() ?? null) : null;
    if (again === null) return false;
    this.request.again();
    this.#follow(again, true);
    return true;
  }

  /** The answer is whole; `isReusable`: nothing of it speaks against another request on the instance's connection. */
  release(isReusable: boolean, announcedS: number): void {
    const { upstream, request } = this;
    this.upstream = null;
    if (upstream === null) return;
    if (isReusable && request.isWhole && !request.isUpgrade && upstream.isClean)
      this.#context.pool.give(upstream, announcedS);
    else upstream.destroy();
  }

  drop(): void {
    this.upstream?.destroy();
    this.upstream = null;
  }

  end(): void {
    this.isActive = false;
    this.request.end();
    const { exchange } = this;
    this.exchange = null;
    exchange?.end();
  }

  /** `isReplay`: on a connection of its own, as others that were kept may have ended just like the last. */
  #follow(admission: Admission, isReplay = false): void {
    if (!(admission instanceof Promise)) {
      this.#go(admission, isReplay);
      return;
    }
    void admission.then((admitted) => {
      this.#go(admitted, isReplay);
    });
  }

  #go(admitted: Exchange | Refusal, isReplay: boolean): void {
    if (isRefusal(admitted)) {
      if (this.isActive) this.#owner.refused(admitted);
      return;
    }
    if (!this.isActive) {
      admitted.end();
      return;
    }
    this.exchange = admitted;
    admitted.onCut = this.#cut;
    admitted.isStreaming = this.#isStreaming;
    const { pool } = this.#context;
    const { host, port } = admitted;
    const { isUpgrade, isReplayable } = this.request;
    const needsNew = isUpgrade || isReplay;
    this.upstream = needsNew ? pool.dial(host, port, this.#owner) : pool.take(host, port, isReplayable, this.#owner);
    if (this.upstream.isConnected) this.#ready();
  }

  #ready(): void {
    if (this.request.isWhole) {
      this.flush();
      this.#awaitAnswer();
      return;
    }
    this.#client.dueAt = this.#context.now() + this.#context.timeouts.bodyMs;
    this.#client.pump();
  }

  #isWhole(): void {
    this.lastByteIn = this.#context.now();
    this.#client.dueAt = Infinity;
    if (this.#owner.isUnanswered) this.#awaitAnswer();
  }

  #awaitAnswer(): void {
    if (this.upstream !== null) this.upstream.dueAt = this.#context.now() + this.#context.timeouts.responseMs;
  }
}
