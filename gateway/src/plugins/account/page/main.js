// What a link from a mail is for is behind the #: "#verify=token", "#reset=token" or "#mails". Nothing happens before a button is pressed.

const element = (id) => document.getElementById(id);

/** What each kind of link with a token does: the call, relative to where this page is, and what is said when it is done. */
const actions = {
  verify: {
    path: "auth/email:verify",
    body: (token) => ({ token }),
    done: "Thank you. Your mail address is confirmed.",
  },
  reset: {
    path: "auth/password:reset",
    body: (token) => ({ token, newPassword: element("password").value }),
    done: "Your new password is set. You can sign in with it now; everywhere else you have been signed out.",
  },
};

function say(text, kind = "") {
  element("message").textContent = text;
  element("message").className = kind;
}

/** Shows the form for the link, and takes the token out of the address and the history. */
function open() {
  const [, name, token] = /^#(verify|reset)=([\w-]+)$/.exec(location.hash) ?? [];
  if (location.hash === "#mails") return choose();
  if (name === undefined) return;
  history.replaceState(null, "", location.pathname);
  const { path, body, done } = actions[name];
  show(name, async () => {
    await call("POST", path, { body: body(token) });
    element(name).hidden = true;
    say(done, "good");
  });
}

/** Shows one form, and does `submit` at its button. */
function show(name, submit) {
  for (const { id } of document.querySelectorAll("#nothing, form")) element(id).hidden = id !== name;
  say("");
  element(name).onsubmit = (event) => {
    event.preventDefault();
    void attempt(element(name).querySelector("button"), submit);
  };
}

/** Has people choose which mails they get, once they have signed in, and signs them out again. */
function choose() {
  show("mails", async () => {
    const credentials = { username: element("username").value, password: element("current-password").value };
    const { accessToken, refreshToken } = await call("POST", "auth/login", { body: credentials });
    const preferences = await call("GET", "email/preferences", { accessToken });
    const boxes = element("preferences").querySelectorAll("input");
    for (const box of boxes) box.checked = preferences[box.name];
    element("current-password").value = "";
    show("preferences", async () => {
      const body = Object.fromEntries([...boxes].map(({ name, checked }) => [name, checked]));
      await call("PATCH", "email/preferences", { accessToken, body });
      await call("POST", "auth/logout", { body: { refreshToken } });
      element("preferences").hidden = true;
      say("Saved. You are signed out again.", "good");
    });
  });
}

async function attempt(button, submit) {
  button.disabled = true;
  say("One moment…");
  try {
    await submit();
    if (element("message").className === "") say("");
  } catch (fault) {
    say(fault instanceof Refusal ? fault.message : "We cannot be reached at the moment. Try again in a minute.", "bad");
  }
  button.disabled = false;
}

/** What people are told of a call that was refused. */
class Refusal extends Error {}

/** The answer of the REST API. Throws a Refusal. */
async function call(method, path, { body, accessToken }) {
  const response = await fetch(path, {
    method,
    headers: {
      ...(body !== undefined && { "content-type": "application/json" }),
      ...(accessToken !== undefined && { authorization: `Bearer ${accessToken}` }),
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  if (!response.ok) throw new Refusal(await faultOf(response));
  return response.json();
}

/** What the answer says is wrong: the field's fault if there is one, else its message. */
async function faultOf(response) {
  const { error } = await response.json();
  const violation = error.details.flatMap(({ fieldViolations = [] }) => fieldViolations)[0];
  return error.details[0]?.reason === "INVALID_FIELD" && violation !== undefined ? `The password ${violation.description}.` : error.message;
}

element("show").addEventListener("change", ({ target }) => {
  element("password").type = target.checked ? "text" : "password";
});
addEventListener("hashchange", open);
open();
