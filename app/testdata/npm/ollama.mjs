import { Ollama } from "ollama";
import { base, token, upstreams, real, hello, city, check, equal, fails } from "./check.mjs";

const client = new Ollama({ host: base, headers: { Authorization: "Bearer " + token } });
const messages = [{ role: "user", content: "hi" }];
const tools = ["get_weather", "get_time"].map((name) => ({ type: "function", function: { name, description: name, parameters: city } }));

// ask returns an answer in one, streamed or not. The library passes over lines
// that it cannot read, so that the last one must be there.
async function ask(p, streamed) {
  p = { messages, ...p };
  if (!streamed) return client.chat(p);
  const sum = { message: { role: "assistant", content: "", thinking: "" } };
  let calls = [];
  for await (const c of await client.chat({ ...p, stream: true })) {
    sum.message.content += c.message.content;
    sum.message.thinking += c.message.thinking ?? "";
    calls = calls.concat(c.message.tool_calls ?? []);
    if (c.done) Object.assign(sum, { done: true, done_reason: c.done_reason, prompt_eval_count: c.prompt_eval_count, eval_count: c.eval_count });
  }
  if (calls.length) sum.message.tool_calls = calls;
  return sum;
}

for (const [dialect, prefix] of upstreams) {
  const of = (name) => dialect + ": " + name;
  for (const streamed of [false, true]) {
    const form = streamed ? " streamed" : "";
    await check(of("text" + form), async () => {
      const r = await ask({ model: prefix + "text" }, streamed);
      equal([r.message.content, r.done, r.done_reason, r.prompt_eval_count, r.eval_count], [hello, true, "stop", 12, 7]);
    });
    await check(of("tools" + form), async () => {
      const first = await ask({ model: prefix + "tools", tools }, streamed);
      equal(first.message.tool_calls.map((c) => [c.function.name, c.function.arguments]), [
        ["get_weather", { city: "Paris" }],
        ["get_time", { zone: "Europe/Paris" }],
      ]);
      const results = first.message.tool_calls.map((c) => ({ role: "tool", tool_name: c.function.name, content: "18 degrees" }));
      const second = await ask({ model: prefix + "tools", tools, messages: [...messages, first.message, ...results] }, streamed);
      equal(second.message.content, "It is 18 degrees in Paris.");
    });
    await check(of("thinking" + form), async () => {
      const r = await ask({ model: prefix + "think", think: true }, streamed);
      equal([r.message.thinking, r.message.content], ["Two plus two is four.", "Four."]);
    });
    await check(of("length" + form), async () => {
      const r = await ask({ model: prefix + "length" }, streamed);
      equal([r.message.content, r.done_reason], ["Once upon", "length"]);
    });
  }
  if (dialect !== "ollama") { // the test provider speaks chat alone
    await check(of("generate"), async () => {
      const r = await client.generate({ model: prefix + "text", prompt: "hi" });
      equal([r.response, r.done], [hello, true]);
    });
  }
  await check(of("error before"), async () => {
    const e = await fails(() => ask({ model: prefix + "error-429" }));
    equal([e.name, e.status_code], ["ResponseError", 429]);
  });
  await check(of("error in the stream"), async () => {
    await fails(() => ask({ model: prefix + "error-after" }, true));
  });
}
if (real) {
  await check("real Ollama: whole and streamed", async () => {
    const p = { model: real.model, messages: [{ role: "user", content: "hi there, what now?" }] };
    equal((await ask(p, false)).message.content, real.text);
    equal((await ask(p, true)).message.content, real.text);
    equal((await client.generate({ model: real.model, prompt: "hi there, what now?" })).response, real.text);
  });
}
await check("models", async () => {
  const { models } = await client.list();
  equal(models.length > 3, true, models.length);
});
await check("version", async () => {
  equal(/^\d+\.\d+/.test((await client.version()).version), true);
});
