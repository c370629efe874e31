/* Who follows a link from an e-mail comes without the cookie (it is SameSite=Strict) and lands
 * here, although logged in. From here it is sent, so ask once more: a redirect means "come in". */

const answer = await fetch("/desk/login", { redirect: "manual" }).catch(() => null);
if (answer?.type === "opaqueredirect") location.replace("/desk");
