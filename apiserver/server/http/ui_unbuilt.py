"""What a browser sees where the web UI has not been built."""

UNBUILT = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<link rel="icon" href="data:,">
<title>Plum</title>
<style>
body { max-width: 36rem; margin: 15vh auto 0; padding: 0 1.5rem; font: 1rem/1.6 system-ui, sans-serif; }
h1 { font-size: 1.25rem; }
section + section { margin-top: 2.5rem; }
code { padding: .1em .35em; border-radius: 4px; background: light-dark(#e8e8ec, #2c2c33); font-size: .9em; }
</style>
</head>
<body>
<section>
<h1>The web UI is not built</h1>
<p>The API server is running, but this installation has no web UI. In a copy of the source, with Node.js 20.19
or 22.12 and later, run <code>make ui</code> and load this page again.</p>
<p>Everything else works: <code>plumctl</code>, <code>kubectl</code>, and <a href="/swagger">the page about /v1</a>.</p>
</section>
<section lang="zh-CN">
<h1>Web UI 尚未构建</h1>
<p>API 服务器已运行，但此安装不含 Web UI。请在源码目录执行 <code>make ui</code>
（Node.js 20.19，或 22.12 及以上）后刷新。</p>
<p>其他功能不受影响：<code>plumctl</code>、<code>kubectl</code>，以及 <a href="/swagger">/v1 的接口文档</a>。</p>
</section>
</body>
</html>
"""
