/** Starts the desk on the page that has one. */
import { Desk } from "./desk.js";

const root = document.querySelector("[data-desk]");
if (root) new Desk(root, JSON.parse(document.getElementById("desk-config").textContent)).start();
