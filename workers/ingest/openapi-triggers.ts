// Triggers in words, as openapi.ts has the rest.

const TRIGGER = { 200: "the trigger and the state of its deliveries", 404: "no such trigger" };
const TRIGGER_BODY = {
  "application/json": {
    name: "tell the pager",
    database: "default",
    tags: ["alerts"],
    type: "alert",
    url: "https://example.org/hooks/sluice",
    enabled: true,
  },
};
const WRONG = { 400: "a field is wrong; names it", 409: "the name is taken" };

export const TRIGGER_OPERATIONS = {
  "GET /api/v1/triggers": {
    summary: "List the triggers, as a bare array",
    query: { database: "one database; all that the token administers when missing" },
    answers: { 200: "the triggers" },
  },
  "POST /api/v1/triggers": {
    summary: "Make a trigger: events with these tags are posted to its URL from now on, signed",
    headers: { "x-arc-database": "the database, where the body names none" },
    body: TRIGGER_BODY,
    answers: { ...WRONG, 201: "the trigger, with its secret: it is not shown again" },
  },
  "GET /api/v1/triggers/:id": { summary: "One trigger", answers: TRIGGER },
  "PUT /api/v1/triggers/:id": {
    summary: "Change a trigger, or enable it again; what the body does not name stays as it is",
    body: TRIGGER_BODY,
    answers: { ...TRIGGER, ...WRONG },
  },
  "DELETE /api/v1/triggers/:id": {
    summary: "Delete a trigger; what it has not delivered it never will",
    answers: { 200: "deleted", 404: "no such trigger" },
  },
};
