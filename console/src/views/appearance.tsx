/** Language, colours and keys. */

import {
  keys,
  language,
  LANGUAGES,
  texts,
  theme,
  THEMES,
  type Language,
  type Theme,
} from '../store/preferences';

export function Appearance() {
  const words = texts.value.preferences;
  return (
    <div class="appearance">
      <label>
        {words.language}
        <select
          value={language.value}
          onChange={(event) => {
            language.value = event.currentTarget.value as Language;
          }}
        >
          {Object.entries(LANGUAGES).map(([code, name]) => (
            <option key={code} value={code} lang={code}>
              {name}
            </option>
          ))}
        </select>
      </label>
      <label>
        {words.theme}
        <select
          value={theme.value}
          onChange={(event) => {
            theme.value = event.currentTarget.value as Theme;
          }}
        >
          {THEMES.map((each) => (
            <option key={each} value={each}>
              {words.themes[each]}
            </option>
          ))}
        </select>
      </label>
      <label class="inline">
        <input
          type="checkbox"
          checked={keys.value === 'on'}
          onChange={(event) => {
            keys.value = event.currentTarget.checked ? 'on' : 'off';
          }}
        />
        {words.keys}
      </label>
    </div>
  );
}
