// Joins calls through a LiteLLM gateway to the Langfuse observations they are made in, and counts
// them once. Copy this file into your project; it needs Node.js 20 or newer.
import { AsyncLocalStorage } from "node:async_hooks";
import { createHash } from "node:crypto";
import { context, createContextKey, diag, propagation, trace } from "@opentelemetry/api";
import { suppressTracing } from "@opentelemetry/core";
import { isDefaultExportSpan, LangfuseSpanProcessor } from "@langfuse/otel";

const TYPE = "langfuse.observation.type";
const USAGE = "langfuse.observation.usage_details";
const COST = "langfuse.observation.cost_details";
const COUNTERS = /^(gen_ai\.usage|llm\.token_count|llm\.usage|llm\.cost|ai\.usage)\./;
const VALUES = {
  user_id: "user.id",
  session_id: "session.id",
  tags: "langfuse.trace.tags",
  trace_name: "langfuse.trace.name",
  environment: "langfuse.environment",
  version: "langfuse.version",
  prompt_name: "langfuse.observation.prompt.name",
  prompt_version: "langfuse.observation.prompt.version",
};
const MAX_BAGGAGE = 8192;

const lastStarted = new AsyncLocalStorage();
const open = new Map(); // spans that have not ended, by id
const known = new WeakMap(); // what is known of a span
let spans = 0;

/** Use it in place of LangfuseSpanProcessor: of a call that the gateway counts, it sends zeros. */
export class TracespliceSpanProcessor extends LangfuseSpanProcessor {
  onStart(span, parent) {
    super.onStart(span, parent);
    open.set(span.spanContext().spanId, span);
    known.set(span, { order: ++spans, linked: false, reported: false, kept: false });
    // What observeOpenAI starts is not made active.
    if (span.instrumentationScope.name === "langfuse-sdk") lastStarted.enterWith(span);
  }

  onEnd(span) {
    open.delete(span.spanContext().spanId);
    super.onEnd(attempt(() => (isTheGateways(span) ? zeroed(span) : undefined)) ?? span);
  }
}

/** Make a `fetch` for OpenAI clients; calls to other addresses than the gateway's stay as they are. */
export function linkedFetch(
  gateway,
  { publicKey = process.env.LANGFUSE_PUBLIC_KEY, fetch = globalThis.fetch } = {},
) {
  const home = new URL(gateway);
  const project = createHash("sha256").update(publicKey ?? "").digest("hex").slice(0, 16);
  return async (input, init) => {
    const call = attempt(() => prepare(input, init, home, publicKey ? project : undefined));
    if (!call?.headers) {
      const response = await fetch(input, init);
      attempt(() => call && response.ok && note(call.span, "kept"));
      return response;
    }
    // An instrumentation of fetch would put a span of its own into the headers.
    const quiet = suppressTracing(context.active());
    const response = await context.with(quiet, fetch, undefined, input, {
      ...init,
      headers: call.headers,
    });
    attempt(() => response.ok && note(call.span, countedBy(response, home)));
    return response;
  };
}

function prepare(input, init, home, project) {
  const url = new URL(input.url ?? input);
  if ((init?.method ?? input.method ?? "GET").toUpperCase() !== "POST") return undefined;
  const span = currentObservation();
  if (!isAt(url, home)) return { span };
  const headers = new Headers(init?.headers ?? input.headers);
  for (const [name, value] of Object.entries(linkHeaders(span, project))) {
    if (!headers.has(name)) headers.set(name, value);
  }
  note(span, "linked");
  return { span, headers };
}

function linkHeaders(span, project) {
  const found = { baggage: baggageFor(span) };
  const place = placeOf(span);
  if (place) {
    found.traceparent = `00-${place.traceId}-${place.spanId}-0${place.traceFlags & 1}`;
    if (project) found["x-tracesplice-project"] = project;
  }
  return found;
}

function currentObservation() {
  const active = trace.getActiveSpan();
  const last = lastStarted.getStore();
  if (!last || last.ended || !isGeneration(last)) return active;
  return known.get(active)?.order > known.get(last).order ? active : last;
}

function placeOf(span) {
  let at = span;
  // A span that Langfuse does not store, of a web server say, cannot be a parent there.
  while (at?.attributes && !isDefaultExportSpan(at)) {
    const parent = at.parentSpanContext;
    if (parent?.isRemote) return parent;
    at = parent && open.get(parent.spanId);
  }
  return at?.spanContext();
}

function baggageFor(span) {
  const said = { trace_id: span?.spanContext().traceId };
  const onSpan = span?.attributes ?? {};
  const entries = propagation.getActiveBaggage()?.getAllEntries() ?? [];
  const carried = Object.fromEntries(entries.map(([name, { value }]) => [name, value]));
  for (const [name, attribute] of Object.entries(VALUES)) {
    const key = `langfuse_${name}`; // Langfuse's name for it in the context and in baggage
    const ambient = context.active().getValue(createContextKey(key)) ?? carried[key];
    const own = onSpan[attribute];
    said[name] = name.startsWith("prompt") ? (isGeneration(span) && own) || ambient : ambient ?? own;
  }
  if (Array.isArray(said.tags)) said.tags = JSON.stringify(said.tags); // a tag may hold a comma
  const metadata = context.active().getValue(createContextKey("langfuse_metadata")) ?? {};
  for (const [name, value] of Object.entries(metadata)) said[`metadata_${name}`] = value;
  return members({ ...carried, ...prefixed(said) });
}

function prefixed(said) {
  const given = Object.entries(said).filter(([, value]) => value !== undefined);
  return Object.fromEntries(given.map(([name, value]) => [`langfuse_${name}`, value]));
}

function members(entries) {
  let header = "";
  for (const [name, value] of Object.entries(entries)) {
    if (!name.startsWith("langfuse_")) continue;
    const member = `${encodeURIComponent(name)}=${encodeURIComponent(String(value).toWellFormed())}`;
    if (header.length + member.length < MAX_BAGGAGE) header += (header && ",") + member;
  }
  return header;
}

function countedBy(response, home) {
  if (response.url && !isAt(new URL(response.url), home)) return "kept"; // redirected
  return (response.headers.get("x-tracesplice-reports") ?? "true") === "true" ? "reported" : "kept";
}

function note(span, what) {
  // Generations that are directly in each other describe the same call. Further out, spans of
  // instrumentations repeat what was used inside.
  let describes = true;
  for (let at = span; at; at = open.get(at.parentSpanContext?.spanId)) {
    describes &&= at === span || isGeneration(at);
    if (known.has(at) && (describes || repeats(at))) known.get(at)[what] = true;
  }
}

function repeats(span) {
  return span.instrumentationScope?.name !== "langfuse-sdk";
}

function isTheGateways(span) {
  const { linked, reported, kept } = known.get(span) ?? {};
  const counts = Object.keys(span.attributes).some((name) => COUNTERS.test(name));
  if (kept || !(isGeneration(span) || (repeats(span) && counts))) return false;
  const failed = span.attributes["langfuse.observation.level"] === "ERROR";
  return reported || (linked && failed && !span.attributes[USAGE]);
}

function zeroed(span) {
  const attributes = { ...span.attributes };
  for (const name of Object.keys(attributes)) if (COUNTERS.test(name)) delete attributes[name];
  for (const name of [USAGE, COST]) {
    const kinds = Object.keys(attempt(() => JSON.parse(attributes[name] ?? "{}")) ?? {});
    const zeros = ["input", "output", "total", ...kinds].map((kind) => [kind, 0]);
    attributes[name] = JSON.stringify(Object.fromEntries(zeros));
  }
  return Object.create(span, { attributes: { value: attributes, enumerable: true } });
}

function isGeneration(span) {
  const said = span?.attributes ?? {};
  const kind = said[TYPE] ?? said["openinference.span.kind"];
  if (kind) return ["generation", "embedding"].includes(kind) || ["LLM", "EMBEDDING"].includes(kind);
  return Boolean(said["gen_ai.request.model"]);
}

function isAt(url, home) {
  const path = home.pathname.replace(/(\/v1)?\/?$/, "/");
  return url.origin === home.origin && url.pathname.startsWith(path);
}

function attempt(task) {
  try {
    return task();
  } catch (error) {
    diag.warn("tracesplice failed; your call is not affected", error);
    return undefined;
  }
}
