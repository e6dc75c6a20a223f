/** What of a subject decides how it is asked, and what its answers have to be; see `subjects/`. */
export function traitsOf({ keepsSessions, keepsDataInCookie = false, issuesOnWrite, cookieLines = 1 }) {
  return {
    /** Whether it has sessions at all. */
    keepsSessions,
    /** Whether the cookie is the session, so that old cookies are old sessions. */
    keepsDataInCookie,
    /** Whether an answer that changes an existing session sets a cookie. */
    issuesOnWrite: issuesOnWrite ?? keepsDataInCookie,
    /** Set-Cookie lines of an answer that sets one. */
    cookieLines,
  };
}
