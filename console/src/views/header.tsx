/** The top of the page: live numbers, the connection, the account. */

import { money } from '../format';
import { useWorkspace } from '../parts/context';
import { Indicator } from '../parts/indicator';
import { Text } from '../parts/text';
import { texts } from '../store/preferences';
import { logOut } from '../store/session';
import { Appearance } from './appearance';

export function Header({ onHelp }: { onHelp: () => void }) {
  const { account } = useWorkspace();
  const { brand, area, login, preferences, help } = texts.value;
  const name = account.shop_name ?? account.email ?? `${account.client_type} ${account.id}`;
  return (
    <header class="top">
      <div class="brand">
        <b>{brand}</b> {area[account.client_type]}
      </div>
      <Facts />
      <Indicator />
      <button type="button" class="button small help" aria-label={help.open} onClick={onHelp}>
        ?
      </button>
      <details class="menu">
        <summary aria-label={`${preferences.menu}: ${name}`}>
          <Text of={name} />
        </summary>
        <div class="card">
          <Appearance />
          <button type="button" class="button" onClick={() => void logOut()}>
            {login.out}
          </button>
        </div>
      </details>
    </header>
  );
}

function Facts() {
  const { settings, stats } = useWorkspace();
  const { fee, moderators } = texts.value.numbers;
  const found = settings.value;
  const admins = stats.value?.by_type['admin'];
  return (
    <p class="facts-line">
      {found && fee(money(found.approval_fee, found.currency, 2))}
      {found && admins !== undefined && ' · '}
      {admins !== undefined && moderators(admins)}
    </p>
  );
}
