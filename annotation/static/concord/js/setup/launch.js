/**
 * The dry run and the launch: what the study will take, what is missing and where to mend it.
 * Decides the layout; the numbers and what is missing come from the server, which also guards the launch.
 */

import { get, post } from "../api.js";
import { ask, boot, count, el, number, percent, replace, say } from "../dom.js";
import { range } from "./policy.js";

export async function draw(body, page) {
  const place = el("div", { class: "launch" });
  body.append(place);
  await page.refresh();
  const plan = await get("setup/plan/");
  const isDraft = page.state.state === "draft";
  replace(place, el("div", { class: "dry-run" }, figures(plan), coverage(plan), quotas(plan)), standing(page, plan, isDraft));
}

function figures(plan) {
  const about = plan.regions_counted ? "" : "about ";
  const rows = [
    ["Slides", number(plan.slides)],
    ["Cases", `${number(plan.cases)}, ${number(plan.audit_cases)} of them in the audit sample`],
    ["Regions", `${about}${number(plan.regions)}`],
    ["Answers for all regions", `${about}${range(plan.answers)}`],
    ["People who answer", number(plan.people)],
    ["Hours of work", plan.hours ? `${about}${range(plan.hours, 1)}` : "say under Policy how long an answer takes"],
    ["Hours for each person", plan.hours_each ? `${about}${range(plan.hours_each, 1)}` : "–"],
  ];
  return el("table", { id: "plan" }, el("caption", {}, "Dry run"), el("tbody", {}, rows.map(([name, value]) => el("tr", {}, el("th", { scope: "row", text: name }), el("td", { class: "number", text: value })))));
}

function coverage(plan) {
  if (!plan.columns.length || !plan.coverage.length) return null;
  return el("table", { id: "coverage" }, el("caption", {}, "Coverage by domain"),
    el("thead", {}, el("tr", {}, [...plan.columns, "Slides", "Cases", "Regions"].map((name, at) => el("th", { scope: "col", class: at >= plan.columns.length ? "number" : null }, name)))),
    el("tbody", {}, plan.coverage.map((row) => el("tr", {}, row.values.map((value) => el("td", { text: value || "not said" })),
      [row.slides, row.cases, row.regions].map((value) => el("td", { class: "number", text: number(value) }))))));
}

function quotas(plan) {
  const wanted = plan.classes.filter((one) => one.quota);
  if (!wanted.length) return null;
  return el("table", { id: "quotas" }, el("caption", {}, "Class quotas"),
    el("thead", {}, el("tr", {}, ["Class", "Settled regions wanted", "Share of all regions"].map((name, at) => el("th", { scope: "col", class: at ? "number" : null }, name)))),
    el("tbody", {}, wanted.map((one) => el("tr", {}, el("th", { scope: "row", text: one.name }), el("td", { class: "number", text: number(one.quota) }),
      el("td", { class: "number", text: one.share === null ? "–" : one.share > 1 ? "more than there are" : percent(one.share) })))));
}

function standing(page, plan, isDraft) {
  const lacking = page.state.steps.filter((step) => step.missing.length);
  const noted = page.state.steps.filter((step) => step.notes.length);
  const problem = el("p", { class: "problem", role: "alert", id: "launch-problem" });
  const link = (step) => el("a", { href: `?step=${step.id}`, on: { click: (event) => { event.preventDefault(); page.go(step.id); } } }, step.title);
  const listed = (steps, key, kind, mark) => el("ul", { class: "checks" }, steps.flatMap((step) => step[key].map((text) => el("li", {}, el("span", { class: `badge ${kind}`, "aria-hidden": "true" }, mark), el("span", {}, link(step), `: ${text}`)))));
  const button = el("button", { type: "button", class: "primary", id: "launch", disabled: lacking.length > 0, on: { click: () => launch(page, plan, problem) } }, "Launch the study");
  return el("section", { class: "standing", "aria-labelledby": "standing-title" },
    el("h3", { id: "standing-title", text: isDraft ? (lacking.length ? "What is missing" : "Everything is there") : "The study is open" }),
    lacking.length > 0 && el("div", { id: "missing" }, listed(lacking, "missing", "warn", "!")),
    noted.length > 0 && el("div", { id: "noted" }, el("h3", { text: "Worth a second look" }), listed(noted, "notes", "info", "i")),
    isDraft ? [el("p", { text: "The launch publishes the protocol, cuts the slides into regions in the background and lets annotators in. Names of files and cases are erased. It can't be taken back." }), el("div", { class: "buttons" }, button), problem]
      : el("p", {}, "How it goes stands on the ", el("a", { href: boot().urls.dashboard }, "dashboard"), ". Policy, members, checklist and publication can still change."));
}

async function launch(page, plan, problem) {
  const sure = await ask({ title: "Launch the study?", body: `${count(plan.slides, "slide")}, ${count(plan.people, "person", "people")} who answer. Classes, domains and region size can't change afterwards.`, confirm: "Launch" });
  if (!sure) return;
  try {
    await post("setup/launch/");
    say("The study is open.");
    location.assign(boot().urls.dashboard);
  } catch (error) {
    problem.textContent = error.message;
    await page.refresh();
  }
}
