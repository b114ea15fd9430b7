import Anthropic from "@anthropic-ai/sdk";
import { base, token, upstreams, real, hello, city, check, equal, begun, fails } from "./check.mjs";

const client = new Anthropic({ baseURL: base, apiKey: token, maxRetries: 0 });
const messages = [{ role: "user", content: "hi" }];
const tools = ["get_weather", "get_time"].map((name) => ({ name, input_schema: city }));
const text = (m) => m.content.filter((b) => b.type === "text").map((b) => b.text).join("");

for (const [dialect, prefix] of upstreams) {
  const of = (name) => dialect + ": " + name;
  for (const streamed of [false, true]) {
    const form = streamed ? " streamed" : "";
    const ask = (p) => {
      p = { max_tokens: 4096, messages, ...p, model: prefix + p.model };
      return streamed ? client.messages.stream(p).finalMessage() : client.messages.create(p);
    };
    await check(of("text" + form), async () => {
      const m = await ask({ model: "text" });
      equal([text(m), m.stop_reason, m.usage.input_tokens, m.usage.output_tokens], [hello, "end_turn", 12, 7]);
    });
    await check(of("tools" + form), async () => {
      const first = await ask({ model: "tools", tools });
      equal(first.stop_reason, "tool_use");
      const calls = first.content.filter((b) => b.type === "tool_use");
      equal(calls.map((c) => [c.name, c.input]), [
        ["get_weather", { city: "Paris" }],
        ["get_time", { zone: "Europe/Paris" }],
      ]);
      const results = calls.map((c) => ({ type: "tool_result", tool_use_id: c.id, content: "18 degrees" }));
      const second = await ask({
        model: "tools", tools,
        messages: [...messages, { role: "assistant", content: first.content }, { role: "user", content: results }],
      });
      equal(text(second), "It is 18 degrees in Paris.");
    });
    await check(of("thinking" + form), async () => {
      const m = await ask({ model: "think", thinking: { type: "enabled", budget_tokens: 1024 } });
      equal(m.content.map((b) => b.thinking ?? b.text), ["Two plus two is four.", "Four."]);
    });
    await check(of("length" + form), async () => {
      const m = await ask({ model: "length" });
      equal([text(m), m.stop_reason], ["Once upon", "max_tokens"]);
    });
  }
  await check(of("error before"), async () => {
    const e = await fails(() => client.messages.create({ model: prefix + "error-429", max_tokens: 9, messages }));
    equal([e.constructor, e.status, e.error.type, e.headers.get("retry-after")], [Anthropic.RateLimitError, 429, "error", "7"]);
  });
  await check(of("error in the stream"), async () => {
    let got = "";
    const e = await fails(async () => {
      for await (const e of await client.messages.create({ model: prefix + "error-after", max_tokens: 9, messages, stream: true })) {
        got += e.delta?.text ?? "";
      }
    });
    equal(e instanceof Anthropic.APIError, true, e.constructor.name);
    begun(got);
  });
  await check(of("count tokens"), async () => {
    const n = await client.messages.countTokens({ model: prefix + "text", messages });
    equal(n.input_tokens > 0, true, n.input_tokens);
  });
}
if (real) {
  await check("real Ollama: whole and streamed", async () => {
    const p = { model: real.model, max_tokens: 4096, messages: [{ role: "user", content: "hi there, what now?" }] };
    equal(text(await client.messages.create(p)), real.text);
    equal(text(await client.messages.stream(p).finalMessage()), real.text);
  });
}
await check("models", async () => {
  const ids = [];
  for await (const m of client.models.list()) ids.push(m.id);
  equal(ids.length > 3, true, ids);
});
await check("wrong token", async () => {
  const wrong = new Anthropic({ baseURL: base, apiKey: "wrong", maxRetries: 0 });
  const e = await fails(() => wrong.messages.create({ model: "openai/text", max_tokens: 9, messages }));
  equal(e.constructor, Anthropic.AuthenticationError);
});
