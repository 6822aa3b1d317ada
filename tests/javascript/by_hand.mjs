import { LangfuseSpanProcessor } from "@langfuse/otel";
import { propagateAttributes, startActiveObservation } from "@langfuse/tracing";
import { context, propagation } from "@opentelemetry/api";
import { NodeSDK } from "@opentelemetry/sdk-node";
import OpenAI from "openai";

const sdk = new NodeSDK({ spanProcessors: [new LangfuseSpanProcessor()] });
sdk.start();

const client = new OpenAI({
  baseURL: process.env.LITELLM_PROXY_API_BASE, // such as http://localhost:4000
  apiKey: process.env.LITELLM_PROXY_API_KEY,
});
const messages = [{ role: "user", content: "Say hello." }];
const ambient = {
  prompt: { name: "greeting", version: 1 },
  userId: "ada",
  sessionId: "monday",
  tags: ["example"],
  environment: process.env.LANGFUSE_TRACING_ENVIRONMENT,
  asBaggage: true,
};

await propagateAttributes(ambient, () =>
  startActiveObservation(
    "greet",
    async (generation) => {
      generation.update({ model: "chat", input: messages });
      const headers = {};
      propagation.inject(context.active(), headers); // traceparent and baggage
      const { data, response } = await client.chat.completions
        .create({ model: "chat", messages }, { headers })
        .withResponse();
      const { prompt_tokens: input, completion_tokens: output } = data.usage;
      const isCounted = response.headers.get("x-tracesplice-reports") === "true";
      generation.update({
        output: data.choices[0].message,
        usageDetails: isCounted ? { input: 0, output: 0, total: 0 } : { input, output },
        costDetails: isCounted ? { total: 0 } : undefined,
      });
      console.log(data.choices[0].message.content);
    },
    { asType: "generation" },
  ),
);
await sdk.shutdown();
