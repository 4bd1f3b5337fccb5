// Makes elements. What the service says only ever becomes text.

/**
 * @param {string} name
 * @param {string} className
 * @param {(string | Node)[]} content
 */
export function element(name, className, ...content) {
  const made = document.createElement(name);
  made.className = className;
  made.append(...content);
  return made;
}
