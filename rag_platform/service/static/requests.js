// Requests to the API; whatever goes wrong becomes an Error whose message is a sentence.

export async function request(path, options = {}) {
  let response;
  try {
    response = await fetch(path, options);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Error("The service does not answer. Check that it is running, then try again.");
  }
  if (!response.ok) throw await problemOf(response);
  return response;
}

export async function get(path) {
  return (await request(path)).json();
}

export function post(path, body, options = {}) {
  return request(path, {
    ...options,
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });
}

export function documentPath(collection, key) {
  const encoded = key.split("/").map(encodeURIComponent).join("/");
  return `/v1/collections/${encodeURIComponent(collection)}/documents/${encoded}`;
}

async function problemOf(response) {
  let problem = {};
  try {
    problem = await response.json();
  } catch {
    // No problem document: something else answered in the service's place.
  }
  const error = new Error(problem.detail || `The service answered with status ${response.status}.`);
  error.status = response.status;
  return error;
}
