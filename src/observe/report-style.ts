/** CSS of report.html; colours come from the charts' variables. */
export const reportStyle = `
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--ink);font:15px/1.5 ui-sans-serif,system-ui,-apple-system,"Segoe UI",Roboto,sans-serif;font-variant-numeric:tabular-nums}
header,main{max-width:1320px;margin:0 auto;padding:0 28px}
header{padding-top:28px}
h1{font-size:24px;margin:0}
h2{font-size:17px;margin:40px 0 12px}
header p{margin:4px 0;color:var(--muted)}
.note{color:var(--c1)}
small,.completion p,th p{color:var(--muted);font-size:12px;font-weight:400}
table{border-collapse:collapse;width:100%}
th,td{padding:7px 14px 7px 0;text-align:left;vertical-align:top;border-bottom:1px solid var(--rule)}
thead th{color:var(--muted);font-weight:500;font-size:13px}
.outcome{width:auto;margin:20px 0 8px}
.outcome td,.outcome thead th:not(:first-child){text-align:right;padding-left:28px}
.outcome tbody th{font-weight:400}
.outcome tr:first-child td:last-child{font-weight:650}
.charts{display:grid;grid-template-columns:repeat(auto-fill,minmax(380px,1fr));gap:26px 30px;margin-top:26px}
figure{margin:0}
figure svg{width:100%;height:auto}
pre{margin:0;font:12.5px/1.5 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;white-space:pre-wrap;overflow-wrap:anywhere}
.samples{table-layout:fixed}
.samples th:first-child{width:24%;font-weight:400}
.samples.two th:first-child{width:50%}
.completion{border-left:3px solid var(--rule);padding-left:10px}
.completion.right{border-color:var(--c2)}
.completion.wrong{border-color:var(--c5)}
.completion p,th p{margin:4px 0 0}
pre.prompt{color:var(--muted);margin-top:14px}
.block{border:1px solid var(--rule);border-radius:6px;padding:14px 16px}
summary{cursor:pointer;color:var(--muted);margin-bottom:8px}
main{padding-bottom:60px}
.wide{overflow-x:auto}
.compare,.differences,.events{font-size:13.5px;margin-top:18px}
.compare tbody th,.differences tbody th,.events tbody th{font-weight:400}
.events th{white-space:nowrap;width:150px}.events small{display:block}
.swatch{display:inline-block;min-width:20px;text-align:center;border-radius:4px;color:var(--paper);padding:0 4px}
.swatch.c0{background:var(--c0)}.swatch.c1{background:var(--c1)}.swatch.c2{background:var(--c2)}.swatch.c3{background:var(--c3)}.swatch.c4{background:var(--c4)}.swatch.c5{background:var(--c5)}.swatch.c6{background:var(--c6)}.swatch.c7{background:var(--c7)}
h3{font-size:15px;margin:22px 0 8px}
@media (max-width:640px){.charts{grid-template-columns:1fr}.samples,.samples tbody,.samples tr,.samples td,.samples th{display:block;width:auto!important}.samples thead{display:none}}
`;
