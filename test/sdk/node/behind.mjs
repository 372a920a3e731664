// What an application on Node 20 adds for HTTPS_PROXY to be used: a dispatcher that
// reads it, of the undici that this Node has built in (6). Newer ones do with
// NODE_USE_ENV_PROXY=1 alone.
if (!process.allowedNodeEnvironmentFlags.has('--use-env-proxy')) {
  const { EnvHttpProxyAgent, setGlobalDispatcher } = await import('undici');
  setGlobalDispatcher(new EnvHttpProxyAgent());
}
