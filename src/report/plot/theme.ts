/** Both themes, by what the reader's system is set to; paper is always light. Contrasts are 4.5 : 1 and better for text. */
export const STYLE = `
.tp{--bg:#fff;--fg:#1b1f24;--faint:#57606a;--grid:#d8dee4;--blue:#0b62c4;--green:#12743b;--bad:#c4261d;--strong:#6f42c1;--muted:#6e7781}
@media (prefers-color-scheme:dark){.tp{--bg:#14181d;--fg:#e6edf3;--faint:#9aa4af;--grid:#30363d;--blue:#6cb2ff;--green:#4ac26b;--bad:#ff7b72;--strong:#c297ff;--muted:#8b949e}}
@media print{.tp{--bg:#fff;--fg:#000;--faint:#444;--grid:#ccc;--blue:#0b62c4;--green:#12743b;--bad:#c4261d;--strong:#6f42c1;--muted:#6e7781}}
.tp{background:var(--bg);font-family:system-ui,-apple-system,"Segoe UI",Roboto,"DejaVu Sans",sans-serif;font-size:12px}
.tp text{fill:var(--fg)}.tp .faint{fill:var(--faint)}.tp .head{font-weight:600;font-size:13px}
.tp .grid{stroke:var(--grid);stroke-width:1}.tp .axis{stroke:var(--faint);stroke-width:1}
.tp .line{fill:none;stroke-width:2;stroke-linejoin:round}.tp .dashed{stroke-dasharray:5 4}
.tp .blue{stroke:var(--blue)}.tp .green{stroke:var(--green)}.tp .bad{stroke:var(--bad)}.tp .strong{stroke:var(--strong)}.tp .muted{stroke:var(--muted)}
.tp .area{stroke:none;opacity:.15}.tp .area.blue{fill:var(--blue)}.tp .area.green{fill:var(--green)}.tp .area.bad{fill:var(--bad)}.tp .area.strong{fill:var(--strong)}.tp .area.muted{fill:var(--muted)}
.tp .mark{stroke-width:1.5;stroke-dasharray:2 3}.tp text.bad{fill:var(--bad);stroke:none}.tp text.muted{fill:var(--faint);stroke:none}.tp text.strong{fill:var(--strong);stroke:none}.tp text.green{fill:var(--green);stroke:none}.tp text.blue{fill:var(--blue);stroke:none}
`.replaceAll("\n", "");
