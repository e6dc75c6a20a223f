/** Title of a group that is skipped. The reason stands last, in brackets, so that a reporter can count skips by reason. */
export function notRun(title: string, reason: string): string {
  return `${title} [not run: ${reason}]`;
}
