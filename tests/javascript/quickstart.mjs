import { LangfuseClient } from "@langfuse/client";
import { observeOpenAI } from "@langfuse/openai";
import { propagateAttributes, startActiveObservation } from "@langfuse/tracing";
import { NodeSDK } from "@opentelemetry/sdk-node";
import OpenAI from "openai";
import { linkedFetch, TracespliceSpanProcessor } from "./tracesplice.mjs";

const GATEWAY = process.env.LITELLM_PROXY_API_BASE; // such as http://localhost:4000

// address and keys from LANGFUSE_BASE_URL, LANGFUSE_PUBLIC_KEY, LANGFUSE_SECRET_KEY
const sdk = new NodeSDK({ spanProcessors: [new TracespliceSpanProcessor()] });
sdk.start();

const client = new OpenAI({
  baseURL: GATEWAY,
  apiKey: process.env.LITELLM_PROXY_API_KEY,
  fetch: linkedFetch(GATEWAY),
});
const prompt = await new LangfuseClient().prompt.get("greeting");

await propagateAttributes({ userId: "ada", sessionId: "monday", tags: ["example"] }, () =>
  startActiveObservation("greet", async () => {
    const openai = observeOpenAI(client, { langfusePrompt: prompt });
    const answer = await openai.chat.completions.create({
      model: "chat",
      messages: [{ role: "user", content: prompt.compile() }],
    });
    console.log(answer.choices[0].message.content);
  }),
);
await sdk.shutdown();
