// What a link from a mail is for is behind the #: "#verify=token" or "#reset=token". Nothing happens before a button is pressed.

const element = (id) => document.getElementById(id);

/** What each kind of link does: the call, relative to where this page is, and what is said when it is done. */
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
  if (name === undefined) return;
  history.replaceState(null, "", location.pathname);
  for (const id of ["nothing", ...Object.keys(actions)]) element(id).hidden = id !== name;
  say("");
  element(name).onsubmit = (event) => {
    event.preventDefault();
    void send(name, token);
  };
}

async function send(name, token) {
  const { path, body, done } = actions[name];
  const button = element(name).querySelector("button");
  button.disabled = true;
  say("One moment…");
  try {
    const response = await fetch(path, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body(token)),
    });
    if (response.ok) {
      element(name).hidden = true;
      say(done, "good");
    } else say(await faultOf(response), "bad");
  } catch {
    say("We cannot be reached at the moment. Try again in a minute.", "bad");
  }
  button.disabled = false;
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
