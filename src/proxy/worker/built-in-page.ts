import type { MaintenancePage } from "../../model/maintenance.ts";

const HTML = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>Maintenance</title>
<style>
html { color-scheme: light dark; font: 1.125rem/1.6 system-ui, sans-serif }
body { margin: 0; min-height: 100vh; display: grid; place-content: center; text-align: center; padding: 1rem; box-sizing: border-box }
h1 { font-size: 1.75rem; margin: 0 }
p { margin: 0.5rem 0 }
</style>
</head>
<body>
<main>
<h1>Back soon</h1>
<p>We are working on this service. Please try again in a few minutes.</p>
</main>
</body>
</html>
`;

/** For services whose teal.yaml names no page; it needs nothing from elsewhere. */
export const BUILT_IN_PAGE: MaintenancePage = {
  type: "text/html; charset=utf-8",
  base64: Buffer.from(HTML).toString("base64"),
};
