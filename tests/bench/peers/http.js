// The pages of tests/bench/http in node: http.js PORT DIRECTORY. Its standard library has no server of files: this is as short as
// one can be, and would not do where paths are a stranger's.
'use strict';
const fs = require('fs');
const http = require('http');

const [port, directory] = process.argv.slice(2);

http.createServer((request, response) => {
  if (request.url === '/hello') {
    response.writeHead(200, {'Content-Type': 'text/plain', 'Content-Length': 14});
    response.end('Hello, world!\n');
    return;
  }
  fs.stat(directory + request.url, (error, status) => {
    if (error) {
      response.writeHead(404, {'Content-Length': 0});
      response.end();
      return;
    }
    response.writeHead(200, {'Content-Length': status.size, 'Last-Modified': status.mtime.toUTCString()});
    fs.createReadStream(directory + request.url).pipe(response);
  });
}).listen(Number(port), '127.0.0.1');
