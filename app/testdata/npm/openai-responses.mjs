import OpenAI from "openai";
import { base, token, upstreams, real, hello, city, check, equal, begun, fails } from "./check.mjs";

const client = new OpenAI({ baseURL: base + "/v1", apiKey: token, maxRetries: 0 });
const tools = ["get_weather", "get_time"].map((name) => ({ type: "function", name, parameters: city, strict: false }));

// gather reads a stream, whose events must be numbered without a gap and whose
// pieces must add up to the response at the end.
async function gather(params) {
  const stream = await client.responses.create({ ...params, stream: true });
  let next = 0, text = "", last;
  for await (const e of stream) {
    equal(e.sequence_number, next++, "sequence_number of " + e.type);
    if (e.type === "response.output_text.delta") text += e.delta;
    if (["response.completed", "response.incomplete", "response.failed"].includes(e.type)) last = e.response;
  }
  const whole = last.output.flatMap((o) => o.content ?? []).filter((c) => c.type === "output_text").map((c) => c.text).join("");
  equal(text, whole, "text of the pieces");
  return { ...last, output_text: whole };
}

for (const [dialect, prefix] of upstreams) {
  const of = (name) => dialect + ": " + name;
  for (const streamed of [false, true]) {
    const form = streamed ? " streamed" : "";
    const ask = (p) => (streamed ? gather(p) : client.responses.create(p));
    await check(of("text" + form), async () => {
      const r = await ask({ model: prefix + "text", input: "hi" });
      equal([r.output_text, r.status, r.usage.input_tokens, r.usage.output_tokens], [hello, "completed", 12, 7]);
    });
    await check(of("tools" + form), async () => {
      const first = await ask({ model: prefix + "tools", input: "hi", tools });
      const calls = first.output.filter((o) => o.type === "function_call");
      equal(calls.map((c) => [c.name, JSON.parse(c.arguments)]), [
        ["get_weather", { city: "Paris" }],
        ["get_time", { zone: "Europe/Paris" }],
      ]);
      const results = calls.map((c) => ({ type: "function_call_output", call_id: c.call_id, output: "18 degrees" }));
      const second = await ask({ model: prefix + "tools", tools, input: [{ role: "user", content: "hi" }, ...first.output, ...results] });
      equal(second.output_text, "It is 18 degrees in Paris.");
    });
    await check(of("length" + form), async () => {
      const r = await ask({ model: prefix + "length", input: "hi" });
      equal([r.output_text, r.status, r.incomplete_details?.reason], ["Once upon", "incomplete", "max_output_tokens"]);
    });
    await check(of("reasoning" + form), async () => {
      const r = await ask({ model: prefix + "think", input: "hi", reasoning: { effort: "high", summary: "auto" } });
      equal(r.output_text, "Four.");
      const thoughts = r.output.filter((o) => o.type === "reasoning").flatMap((o) => [...o.summary, ...(o.content ?? [])]);
      equal(thoughts.map((s) => s.text).join(""), "Two plus two is four.");
    });
  }
  await check(of("the library's own accumulator"), async () => {
    const r = await client.responses.stream({ model: prefix + "tools", input: "hi", tools }).finalResponse();
    equal(r.output.filter((o) => o.type === "function_call").length, 2);
    equal(r.output_text, "Let me look.");
  });
  await check(of("error before"), async () => {
    const e = await fails(() => client.responses.create({ model: prefix + "error-429", input: "hi" }));
    equal([e.constructor, e.status, e.headers.get("retry-after")], [OpenAI.RateLimitError, 429, "7"]);
  });
  await check(of("error in the stream"), async () => {
    let text = "", failed = false;
    try {
      for await (const e of await client.responses.create({ model: prefix + "error-after", input: "hi", stream: true })) {
        if (e.type === "response.output_text.delta") text += e.delta;
        failed ||= e.type === "error" || e.type === "response.failed";
      }
    } catch {
      failed = true;
    }
    equal(failed, true, "failed");
    begun(text);
  });
}
if (real) {
  await check("real Ollama: whole and streamed", async () => {
    const p = { model: real.model, input: "hi there, what now?", temperature: 0 };
    equal((await client.responses.create(p)).output_text, real.text);
    equal((await gather(p)).output_text, real.text);
  });
}
