drop trigger refunds_within_captured on refunds;

drop function agora_refund_within_paid();

create function agora_check_refunds(refunded_order uuid, counted uuid) returns void language plpgsql as $$
declare o orders; given bigint; open bigint; left_over bigint; line record;
begin
  select * into o from orders where id = refunded_order for update;
  select coalesce(sum(amount), 0) into given from refunds
    where order_id = o.id and status not in ('failed', 'rejected');
  select coalesce(sum(amount), 0) into open from refunds
    where group_id = o.group_id and status not in ('failed', 'rejected', 'succeeded');
  select coalesce(sum(captured - refunded), 0) into left_over from payment_intents where reference_id = o.group_id;
  select left_over - coalesce(sum(amount), 0) into left_over from payment_refunds
    where reference_id = o.group_id and status = 'promised' and cause not like 'refund:%';
  if counted is not null and (o.status = 'cancelled' or given > o.total or open > left_over) then
    raise exception 'refunds of order % exceed what was captured', o.number
      using errcode = 'check_violation', constraint = 'refunds_within_captured';
  end if;
  for line in
    select coalesce(b.subtotal - b.discount + case when o.tax_included then 0 else b.tax end - b.refunded, o.total - (
             select sum(g.subtotal - g.discount + case when o.tax_included then 0 else g.tax end)
             from order_lines g where g.order_id = o.id)) as paid,
           coalesce(b.quantity - b.cancelled, 1) as units, sum(l.amount) as amount, sum(l.quantity) as quantity
    from refunds r join refund_lines l on l.refund_id = r.id left join order_lines b on b.id = l.order_line_id
    where r.order_id = o.id and r.status not in ('failed', 'rejected')
    group by b.id, b.subtotal, b.discount, b.tax, b.quantity, b.cancelled, b.refunded
  loop
    if line.amount > line.paid or line.quantity > line.units then
      raise exception 'refunds of a line of order % exceed what was paid for it', o.number
        using errcode = 'check_violation', constraint = 'refunds_within_captured';
    end if;
  end loop;
end $$;

create function agora_refund_within_paid() returns trigger language plpgsql as $$
begin
  if new.status in ('failed', 'rejected') then return null; end if;
  if tg_op = 'UPDATE' and old.status not in ('failed', 'rejected') and old.amount = new.amount then return null; end if;
  if not exists (select from payment_intents where id = new.intent_id and reference_id = new.group_id) then
    raise exception 'refund % is not of its purchase', new.id
      using errcode = 'check_violation', constraint = 'refunds_within_captured';
  end if;
  perform agora_check_refunds(new.order_id, new.id);
  return null;
end $$;

create function agora_line_within_paid() returns trigger language plpgsql as $$
begin
  if exists (select from refunds where order_id = new.order_id and status not in ('failed', 'rejected')) then
    perform agora_check_refunds(new.order_id, null);
  end if;
  return null;
end $$;

create constraint trigger lines_within_captured after update of cancelled, refunded, quantity, subtotal, discount, tax
on order_lines for each row execute function agora_line_within_paid();

create constraint trigger refunds_within_captured after insert or update of status, amount on refunds
for each row execute function agora_refund_within_paid();

alter table return_inspections add column other_item boolean default false not null;

alter table return_inspections add constraint ck_return_inspections_other_item check (not (other_item and passed));
