// One invocation of one function: node run-handler.cjs <code> <handler> <answer file> <timeout> <request id> <arn>,
// the event on standard input.
const fs = require('node:fs');
const http = require('node:http');
const https = require('node:https');
const { syncBuiltinESMExports } = require('node:module');
const net = require('node:net');
const path = require('node:path');
const tls = require('node:tls');
const { pathToFileURL, URL } = require('node:url');

const [code, handler, answerFile, timeout, requestId, arn] = process.argv.slice(2);
const deadline = Date.now() + Number(timeout) * 1000;

// Answers to CloudFormation are always sent over https, and handlers drop the port; the stand-in speaks http.
const secureRequest = https.request;
https.request = function request(first, ...rest) {
  const given = typeof first === 'string' || first instanceof URL ? new URL(first) : first;
  const name = given.hostname || given.host;
  if (name !== '127.0.0.1') {
    return secureRequest.call(https, first, ...rest);
  }
  const extra = rest.length > 0 && typeof rest[0] === 'object' ? rest.shift() : {};
  return http.request({
    ...extra,
    method: extra.method ?? given.method,
    headers: extra.headers ?? given.headers,
    path: extra.path ?? given.path ?? `${given.pathname}${given.search}`,
    hostname: '127.0.0.1',
    port: new URL(process.env.AWS_ENDPOINT_URL).port,
  }, ...rest);
};

// Public hosts that something on this machine stands for. It speaks no TLS; names, headers and redirects stay as they are.
const hosts = JSON.parse(process.env.STAND_IN_HOSTS || '{}');
const secureConnection = tls.connect;
tls.connect = function connect(options, ...rest) {
  const port = typeof options === 'object' ? hosts[options.servername || options.host] : undefined;
  if (port === undefined) {
    return secureConnection.call(tls, options, ...rest);
  }
  const socket = net.connect({ host: '127.0.0.1', port });
  return socket.once('connect', () => socket.emit('secureConnect'));
};
syncBuiltinESMExports();

const context = {
  awsRequestId: requestId,
  callbackWaitsForEmptyEventLoop: true,
  functionName: process.env.AWS_LAMBDA_FUNCTION_NAME,
  functionVersion: '$LATEST',
  invokedFunctionArn: arn,
  logGroupName: process.env.AWS_LAMBDA_LOG_GROUP_NAME,
  logStreamName: process.env.AWS_LAMBDA_LOG_STREAM_NAME,
  memoryLimitInMB: process.env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE,
  getRemainingTimeInMillis: () => Math.max(0, deadline - Date.now()),
};

async function load() {
  const dot = handler.lastIndexOf('.');
  const file = path.join(code, handler.slice(0, dot));
  const found = ['.js', '.cjs', '.mjs'].map((extension) => file + extension).find((candidate) => fs.existsSync(candidate));
  if (found === undefined) {
    throw Object.assign(new Error(`Error: Cannot find module '${handler.slice(0, dot)}'`), { name: 'Runtime.ImportModuleError' });
  }
  const loaded = await import(pathToFileURL(found).href);
  const name = handler.slice(dot + 1);
  const callable = loaded[name] ?? loaded.default?.[name];
  if (typeof callable !== 'function') {
    throw Object.assign(new Error(`${handler} is undefined or not exported`), { name: 'Runtime.HandlerNotFound' });
  }
  return callable;
}

function call(callable, event) {
  return new Promise((resolve, reject) => {
    const callback = (error, value) => (error ? reject(error) : resolve(value));
    context.done = callback;
    context.succeed = resolve;
    context.fail = reject;
    const returned = callable(event, context, callback);
    if (returned && typeof returned.then === 'function') {
      returned.then(resolve, reject);
    } else if (callable.length < 3) {
      // A handler with neither promise nor callback ends when nothing is left to do.
      process.once('beforeExit', () => resolve(returned));
    }
  });
}

function end(answer) {
  fs.writeFileSync(`${answerFile}.part`, JSON.stringify(answer));
  fs.renameSync(`${answerFile}.part`, answerFile);
  process.exit(0);
}

function fail(error) {
  console.error(error);
  const known = error instanceof Error ? error : new Error(String(error));
  end({ error: { errorType: known.name, errorMessage: known.message, trace: String(known.stack).split('\n') } });
}

process.on('uncaughtException', fail);
process.on('unhandledRejection', fail);

load()
  .then((callable) => call(callable, JSON.parse(fs.readFileSync(0, 'utf8') || '{}')))
  .then((value) => end({ value: value === undefined ? null : value }), fail);
