import { TealError } from "../../model/error.ts";
import type { TealClient } from "../../sdk/client.ts";
import type { Call } from "../call.ts";
import { writeOutput } from "../output-file.ts";
import { serviceOf } from "../service.ts";
import type { Verb } from "../verb.ts";

export const report: Verb = {
  name: "report",
  summary: "What became of a deployment: who, why, times, receipts, checklist, incident",
  details:
    "Markdown, and with --html a page with pictures that needs nothing beside it. What Teal does not know is said to be so, and never ticked.",
  arguments: [
    {
      name: "deployment",
      required: false,
      description: "id of a deployment; the newest of the service when it is left out",
    },
  ],
  options: [
    { flags: "--service <name>", description: "the service whose newest deployment is meant", value: "name" },
    { flags: "--output <file>", description: "write the Markdown there instead" },
    { flags: "--html <file>", description: "write the page there instead" },
  ],
  examples: [
    { command: "teal report", about: "the newest deployment, as Markdown" },
    {
      command: "teal report dep_0mwpt684g887af3b159 --html report.html",
      about: "one deployment, as a page to be passed on",
    },
    { command: "teal report --service web --output report.md", about: "for a ticket" },
  ],
  json: "{format, deployment, headline, steps, timeline, receipts, traffic, checklist: {before, during, after}, incident}",
  async run(call) {
    const client = await call.client();
    const id = call.text("deployment") ?? (await newestOf(client, call.text("service")));
    const [output, html] = [call.text("output"), call.text("html")];
    if (output !== undefined) await write(call, output, await client.reportPage(id, "markdown"));
    if (html !== undefined) await write(call, html, await client.reportPage(id, "html"));
    if (call.json) call.document(await client.report(id));
    else if (output === undefined && html === undefined) call.io.stdout.write(await client.reportPage(id, "markdown"));
    return 0;
  },
};

async function write(call: Call, file: string, page: string): Promise<void> {
  await writeOutput(call, file, page);
  call.say(`The report is in ${file}.`);
}

async function newestOf(client: TealClient, named: string | undefined): Promise<string> {
  const { service } = await serviceOf(client, named);
  const [newest] = (await client.history(service, 1)).history;
  if (newest === undefined) throw new TealError("deployment-unknown", `${service} has had no deployment yet`);
  return newest.deployment;
}
