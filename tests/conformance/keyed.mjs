// Gives AIMA's key to each request of a program that has none, and changes nothing else.
import { subscribe } from "node:diagnostics_channel";

const key = `Bearer ${process.env.AIMA_KEY}`;

subscribe("undici:request:create", ({ request }) => request.addHeader("authorization", key));
subscribe("http.client.request.created", ({ request }) => request.setHeader("authorization", key));
