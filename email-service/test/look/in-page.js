// Runs in the page that shows a mail, and answers what one must see to know whether it can be read.

(() => {
  const channels = (color) => (color.match(/[\d.]+/g) ?? []).map(Number);
  /** WCAG 2.2, relative luminance. */
  const luminance = (color) => {
    const [red, green, blue] = channels(color).map((value) => {
      const part = value / 255;
      return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const contrast = (one, other) => {
    const [dark, light] = [luminance(one), luminance(other)].sort((a, b) => a - b);
    return (light + 0.05) / (dark + 0.05);
  };
  const groundOf = (element) => {
    for (let at = element; at !== null; at = at.parentElement) {
      const { backgroundColor } = getComputedStyle(at);
      if (channels(backgroundColor)[3] !== 0) return backgroundColor;
    }
    return "rgb(255, 255, 255)";
  };
  const texts = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const { parentElement: element, textContent } = walker.currentNode;
    if (textContent.trim() !== "" && element.checkVisibility()) texts.push({ element, text: textContent.trim() });
  }
  return {
    width: document.scrollingElement.scrollWidth,
    shown: texts.map(({ text }) => text).join("\n"),
    faint: texts.filter(({ element }) => contrast(getComputedStyle(element).color, groundOf(element)) < 4.5).map(({ text }) => text),
    bars: [...document.querySelectorAll("td.bar")].map((bar) => {
      const { width, height } = bar.getBoundingClientRect();
      return { width, height, contrast: contrast(getComputedStyle(bar).backgroundColor, groundOf(bar.parentElement)) };
    }),
  };
})();
