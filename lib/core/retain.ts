/** Removes the other elements, in place. */
export function retain<T>(list: T[], isKept: (element: T) => boolean): void {
  let length = 0;
  for (const element of list) if (isKept(element)) list[length++] = element;
  list.length = length;
}
