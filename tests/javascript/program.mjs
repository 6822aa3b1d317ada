// Calls through a gateway, each in a trace that has its name. Run by test_javascript.py.
import { context, trace } from "@opentelemetry/api";
import { UndiciInstrumentation } from "@opentelemetry/instrumentation-undici";
import { NodeSDK } from "@opentelemetry/sdk-node";
import { observeOpenAI } from "@langfuse/openai";
import { propagateAttributes, startActiveObservation, startObservation } from "@langfuse/tracing";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { embed, generateText, stepCountIs, streamText, tool } from "ai";
import OpenAI from "openai";
import { z } from "zod";
import { linkedFetch, TracespliceSpanProcessor } from "./tracesplice.mjs";

const GATEWAY = process.env.LITELLM_PROXY_API_BASE;
const access = { apiKey: process.env.LITELLM_PROXY_API_KEY, maxRetries: 0 };
const fetch = linkedFetch(GATEWAY);
const prompt = { name: "greeting", version: 2, isFallback: false };

const sdk = new NodeSDK({
  spanProcessors: [new TracespliceSpanProcessor()],
  // Puts spans of its own into the headers of every other fetch.
  instrumentations: [new UndiciInstrumentation()],
});
sdk.start();

const plain = new OpenAI({ ...access, baseURL: GATEWAY, fetch });
const retrying = new OpenAI({ ...access, baseURL: GATEWAY, fetch, maxRetries: 2 });
const elsewhere = new OpenAI({ ...access, baseURL: process.env.OTHER_HOST, fetch });
const observed = (client = plain, more = {}) =>
  observeOpenAI(client, { langfusePrompt: prompt, ...more });
const chat = (model = "chat", more = {}) => ({
  model,
  messages: [{ role: "user", content: "hello" }],
  ...more,
});
const drain = async (stream) => {
  for await (const _ of await stream);
};
const models = createOpenAICompatible({
  name: "gateway",
  baseURL: `${GATEWAY}/v1`,
  apiKey: access.apiKey,
  fetch,
});
const traced = { prompt: "hello", experimental_telemetry: { isEnabled: true } };
const weather = tool({
  description: "the weather",
  inputSchema: z.object({ city: z.string() }),
  execute: async () => "sunny",
});
const generation = { asType: "generation" };

const cases = {
  chat: () => observed().chat.completions.create(chat()),
  // A model whose price Langfuse knows: without zeros it would count this itself.
  stream: () => drain(observed().chat.completions.create(chat("gpt-4o-mini", { stream: true }))),
  stream_with_usage: () =>
    drain(
      observed().chat.completions.create(
        chat("chat", { stream: true, stream_options: { include_usage: true } }),
      ),
    ),
  stream_helper: () => drain(observed().chat.completions.stream(chat())),
  parse: () => observed().chat.completions.parse(chat()),
  responses: () => observed().responses.create({ model: "openai-chat", input: "hello" }),
  embeddings: () => observed().embeddings.create({ model: "openai-embed", input: "hello" }),
  at_once: () =>
    Promise.all(
      [1, 2, 3, 4, 5].map((each) =>
        observed(plain, { userId: `user-${each}` }).chat.completions.create(chat()),
      ),
    ),
  one_after_the_other: async () => {
    for (const each of [1, 2, 3]) {
      await observed(plain, { userId: `user-${each}` }).chat.completions.create(chat());
    }
  },
  own_active: () =>
    startActiveObservation(
      "mine",
      async (own) => {
        own.update({ model: "chat", prompt });
        const answer = await plain.chat.completions.create(chat());
        own.update({ usageDetails: { input: answer.usage.prompt_tokens, output: 7 } });
      },
      generation,
    ),
  own_not_active: async () => {
    const own = startObservation("mine", { model: "chat", prompt }, generation);
    await plain.chat.completions.create(chat());
    own.update({ usageDetails: { input: 3, output: 4 }, costDetails: { total: 1 } }).end();
  },
  span_only: () => propagateAttributes({ prompt }, () => plain.chat.completions.create(chat())),
  inside_a_web_server: () =>
    trace.getTracer("http").startActiveSpan("GET /", async (span) => {
      await propagateAttributes({ prompt }, () => plain.chat.completions.create(chat()));
      span.end();
    }),
  failing: () => observed().chat.completions.create(chat("broken")),
  retried: () =>
    observed(retrying).chat.completions.create(
      chat("chat", { messages: [{ role: "user", content: `[[fail-once:503:${Math.random()}]] hi` }] }),
    ),
  ai_sdk: () =>
    propagateAttributes({ prompt }, () => generateText({ ...traced, model: models("gpt-4o-mini") })),
  ai_sdk_stream: () =>
    propagateAttributes({ prompt }, () =>
      drain(streamText({ ...traced, model: models("gpt-4o-mini") }).textStream),
    ),
  ai_sdk_tools: () =>
    propagateAttributes({ prompt }, () =>
      generateText({
        ...traced,
        model: models("tools"),
        tools: { weather },
        stopWhen: stepCountIs(3),
      }),
    ),
  ai_sdk_embed: () =>
    propagateAttributes({ prompt }, () =>
      embed({ ...traced, value: "hello", model: models.textEmbeddingModel("openai-embed") }),
    ),
  elsewhere: () => observed(elsewhere).chat.completions.create(chat()),
  not_logged: () => observed().chat.completions.create(chat("chat", { "no-log": true })),
};

const ambient = {
  userId: "user-1",
  sessionId: "session-1",
  tags: ["a,b", "grün"],
  version: "v=1;2",
  metadata: { größe: "1 %" },
};
for (const [name, run] of Object.entries(cases)) {
  await propagateAttributes({ ...ambient, traceName: name }, () =>
    startActiveObservation(name, async () => run().catch((error) => console.log(name, error.message))),
  );
}
const unsampled = { traceId: "a".repeat(32), spanId: "b".repeat(16), traceFlags: 0 };
await context.with(trace.setSpanContext(context.active(), unsampled), () =>
  propagateAttributes(ambient, cases.chat),
);
await propagateAttributes({ ...ambient, traceName: "no_span" }, cases.chat);
await sdk.shutdown();
